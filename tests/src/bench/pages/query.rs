//! What pages ask of the API, and how long the answers take.

use std::time::Instant;

use futures_util::future::join_all;
use tokio::task::spawn_blocking;

use super::{Api, Store};
use crate::stack::ask;

/// A range of time that a page shows.
#[derive(Clone, Debug)]
pub struct Range {
    /// Its name in the table.
    pub name: &'static str,
    /// RFC 3339.
    pub from: String,
    /// RFC 3339.
    pub to: String,
}

/// The call and the device that pages of one are about.
#[derive(Clone, Debug)]
pub struct Names {
    /// Whose they are.
    pub tenant: String,
    /// A call with its events.
    pub call: String,
    /// A device with legs.
    pub device: String,
}

/// One request of a page.
#[derive(Clone, Debug)]
pub struct Question {
    /// The page's path.
    pub page: String,
    /// Path and query, below `/api/v1`.
    pub request: String,
}

/// What answers took, in seconds: medians.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// From question to last byte.
    pub wall: f64,
    /// CPU of ClickHouse and of the API.
    pub cpu: f64,
}

/// The requests of a file: a page's path and what it asks, a line each. `#` begins a comment.
pub fn questions(file: &str) -> Vec<Question> {
    let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let read = |line: &str| {
        let (page, request) = line.split_once(' ')?;
        Some(Question { page: page.to_owned(), request: request.to_owned() })
    };
    lines.map(|line| read(line).expect("a page and a request")).collect()
}

impl Question {
    /// The same about a range of time, a call and a device. Requests about one call take no range.
    pub fn about(&self, range: &Range, names: &Names) -> Question {
        let time = format!("from={}&to={}", range.from, range.to);
        let pairs =
            [("{range}", &time), ("{tenant}", &names.tenant), ("{call}", &names.call), ("{device}", &names.device)];
        let request = pairs.iter().fold(self.request.clone(), |text, (name, value)| text.replace(name, value));
        Question { request, ..self.clone() }
    }

    /// Waits for the answer of an API, by its address.
    ///
    /// # Panics
    /// When it is none, or an error.
    pub fn ask(&self, server: &str) {
        let answer = ask(server, &format!("/api/v1{}", self.request), &[]);
        assert_eq!(answer.status, 200, "{}: {}", self.request, answer.body);
    }
}

/// Asks questions side by side, `rounds` times, once before to warm up.
///
/// # Panics
/// When one is not answered.
pub async fn measure(store: &Store, api: &Api, questions: &[Question], rounds: usize) -> Measured {
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let (cpu, since) = (store.cpu() + api.cpu(), Instant::now());
        let asked = questions.iter().map(|question| {
            let (question, server) = (question.clone(), api.address.clone());
            spawn_blocking(move || question.ask(&server))
        });
        join_all(asked).await.into_iter().for_each(|asked| asked.expect("every question is answered"));
        if round > 0 {
            walls.push(since.elapsed().as_secs_f64());
            cpus.push(store.cpu() + api.cpu() - cpu);
        }
    }
    Measured { wall: median(walls), cpu: median(cpus) }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_and_filled_in() {
        let found =
            questions("# a comment\n/ /summary?{range}&compare=7d\n\n/calls/{call} /calls/{call}?tenant_id={tenant}\n");
        let range = Range { name: "day", from: "A".to_owned(), to: "B".to_owned() };
        let names = Names { tenant: "T".to_owned(), call: "C".to_owned(), device: "D".to_owned() };
        let asked: Vec<_> = found.iter().map(|question| question.about(&range, &names)).collect();
        let asked: Vec<_> = asked.iter().map(|one| (one.page.as_str(), one.request.as_str())).collect();
        assert_eq!(asked, [("/", "/summary?from=A&to=B&compare=7d"), ("/calls/{call}", "/calls/C?tenant_id=T")]);
    }
}
