//! A linker under steady load on real Kafka and ClickHouse: whether its memory stays as it is, and how long pages of the dashboards
//! wait meanwhile.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::live::{PARTITIONS, gauge, linker, resident_kib, write};
use super::pages::{Names, Question, Range};
use crate::stack::{Case, free_port, wait_for};

/// How often it is looked at.
const PERIOD: Duration = Duration::from_secs(60);

/// What was seen once a minute.
pub struct Moment {
    /// Minutes since the first event.
    pub minute: u64,
    /// Resident bytes of the linker.
    pub resident: u64,
    /// Calls in its memory.
    pub open_calls: f64,
    /// Records that it has not read yet.
    pub lag: f64,
}

/// What a run came to.
pub struct Steady {
    /// Events a second that were written.
    pub rate: f64,
    /// Seconds that each page waited for the last of its requests, sent side by side, in order: one for each minute.
    pub pages: BTreeMap<String, Vec<f64>>,
}

/// Writes simulated events as they happen for `length`, and once a minute tells `each` of the linker and asks the pages' requests,
/// with the last 24 hours as their range.
///
/// # Panics
/// When the stack fails, or a page gets no answer.
pub fn steady(events_per_second: f64, length: Duration, requests: &[Question], each: impl Fn(&Moment)) -> Steady {
    let case = Case::new("bench-steady", PARTITIONS);
    let (linker, listen) = linker(&case);
    let api = format!("127.0.0.1:{}", free_port());
    let _serve = case.start_as("serve", "serve", &[("RINGTRACE_SERVE_LISTEN".to_owned(), api.clone())]);
    wait_for("the API", || std::net::TcpStream::connect(&api).is_ok());
    let mut pages: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let (begun, sent) = (Instant::now(), Mutex::default());
    let rate = thread::scope(|scope| {
        let writing = scope.spawn(|| write(&case, events_per_second, length, &sent));
        for minute in 1.. {
            while begun.elapsed() < PERIOD * minute && !writing.is_finished() {
                thread::park_timeout(Duration::from_millis(500));
            }
            if writing.is_finished() {
                break;
            }
            each(&Moment {
                minute: minute.into(),
                resident: resident_kib(linker.id()) * 1_024,
                open_calls: gauge(&listen, "ringtrace_open_calls"),
                lag: gauge(&listen, "ringtrace_consumer_lag_records"),
            });
            let (range, names) = range_and_names(&case);
            for of_page in requests.chunk_by(|one, next| one.page == next.page) {
                let asked: Vec<Question> = of_page.iter().map(|question| question.about(&range, &names)).collect();
                let since = Instant::now();
                thread::scope(|scope| {
                    for question in &asked {
                        scope.spawn(|| question.ask(&api));
                    }
                });
                pages.entry(of_page[0].page.clone()).or_default().push(since.elapsed().as_secs_f64());
            }
        }
        writing.join().expect("the writer ends")
    });
    pages.values_mut().for_each(|seconds| seconds.sort_by(f64::total_cmp));
    Steady { rate, pages }
}

/// The last 24 hours; a call that is there, and a device of it.
fn range_and_names(case: &Case) -> (Range, Names) {
    let rows = case.rows(
        "SELECT formatDateTime(now() - INTERVAL 1 DAY, '%FT%TZ', 'UTC') AS from, formatDateTime(now(), '%FT%TZ', 'UTC') AS to, \
         tenant_id, toString(call_uuid) AS call, device_id FROM legs_rows LIMIT 1",
    );
    let text = |name: &str| rows[0][name].as_str().unwrap_or_default().to_owned();
    let range = Range { name: "24 h", from: text("from"), to: text("to") };
    (range, Names { tenant: text("tenant_id"), call: text("call"), device: text("device_id") })
}
