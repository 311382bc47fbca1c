//! What pages ask, and how long the answers take: of the tables, or of `ringtrace serve` over HTTP.

use std::time::Instant;

use futures_util::future::join_all;

use super::Store;
use crate::stack::get;

/// A range of time that a page shows.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// Its name in the table.
    pub name: &'static str,
    /// Seconds since the Unix epoch.
    pub from: u32,
    /// Seconds since the Unix epoch.
    pub to: u32,
    /// Seconds before, of the same length; 0 where nothing is shown beside it.
    pub before_s: u32,
    /// Length of a chart's bucket.
    pub step_s: u32,
}

/// One question of a page.
#[derive(Clone, Debug)]
pub struct Question {
    /// The page.
    pub page: String,
    /// What it shows.
    pub what: String,
    /// SQL, or the path and query of a request.
    pub text: String,
    /// `127.0.0.1:PORT` of the server that is asked; ClickHouse where there is none.
    pub server: Option<String>,
}

/// What answers took, in seconds: medians.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// From question to last byte.
    pub wall: f64,
    /// CPU of ClickHouse.
    pub cpu: f64,
}

/// The questions of a file: blocks that begin with `-- PAGE: WHAT`, ended by `;`.
pub fn questions(file: &str, server: Option<&str>) -> Vec<Question> {
    let read = |block: &str| {
        let (head, text) = block.rsplit_once("-- ")?.1.split_once('\n')?;
        let (page, what) = head.split_once(": ")?;
        let (page, what, text) = (page.to_owned(), what.to_owned(), text.trim().to_owned());
        Some(Question { page, what, text, server: server.map(str::to_owned) })
    };
    file.split(";\n").filter_map(read).collect()
}

impl Question {
    /// The same for a range and one device and call, which are given as names and values.
    pub fn about(&self, range: Range, names: &[(&str, String)]) -> Question {
        let (before, before_to) = match range.before_s {
            0 => (range.from, range.from),
            before => (range.from - before, range.to - before),
        };
        let numbers = [("from", range.from), ("to", range.to), ("before", before), ("before_to", before_to), ("step", range.step_s)];
        let mut text = self.text.clone();
        for (name, number) in numbers {
            text = text.replace(&format!("{{{{{name}}}}}"), &number.to_string());
        }
        for (name, value) in names {
            text = text.replace(&format!("{{{{{name}}}}}"), value);
        }
        Question { text, ..self.clone() }
    }

    async fn ask(&self, store: &Store) {
        let Some(server) = self.server.clone() else {
            let mut answer = store.client.query_raw(&self.text).fetch_bytes("TSV").expect("a query");
            answer.collect().await.unwrap_or_else(|error| panic!("{error}: {}", self.text));
            return;
        };
        let path = self.text.clone();
        let answer = tokio::task::spawn_blocking(move || get(&server, &path)).await.expect("a thread ends");
        assert!(answer.starts_with("HTTP/1.1 200"), "{}: {answer}", self.text);
    }
}

/// Asks questions side by side, `rounds` times, once before to warm up.
pub async fn measure(store: &Store, questions: &[Question], rounds: usize) -> Measured {
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let (cpu, since) = (store.cpu(), Instant::now());
        join_all(questions.iter().map(|question| question.ask(store))).await;
        if round > 0 {
            walls.push(since.elapsed().as_secs_f64());
            cpus.push(store.cpu() - cpu);
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
    fn questions_are_read_and_filled_in() {
        let file = "-- About the file,\n-- at length.\n\n-- calls: newest\nSELECT {{from}}, '{{device}}'\nFROM x;\n\n-- call: one\nSELECT {{before}};\n";
        let found = questions(file, None);
        let heads: Vec<_> = found.iter().map(|question| (question.page.as_str(), question.what.as_str())).collect();
        assert_eq!(heads, [("calls", "newest"), ("call", "one")]);
        let range = Range { name: "day", from: 100, to: 200, before_s: 70, step_s: 1 };
        assert_eq!(found[0].about(range, &[("device", "a".to_owned())]).text, "SELECT 100, 'a'\nFROM x");
        assert_eq!(found[1].about(range, &[]).text, "SELECT 30");
        assert_eq!(found[1].about(Range { before_s: 0, ..range }, &[]).text, "SELECT 100");
    }
}
