//! All scenarios and simulated events as records, and what goes wrong with them on the way.

use ringtrace_tests::simulated::{self, of_line};
use ringtrace_tests::stack::Given;
use serde_json::Value;

use crate::files::{Invalid, lines, texts};

/// Scenarios, simulated events, and records that are not valid, in order of log time.
pub fn everything() -> Vec<Given> {
    let mut records = scenarios();
    records.extend(simulated::records(simulated::EVENTFUL, simulated::quarter_of_an_hour()));
    records
        .extend(texts("schemas/examples/invalid", ".jsonl").iter().flat_map(|(_, text)| lines(text)).filter_map(bad));
    records.sort_by_key(|record| record.log_at);
    records
}

/// A record that is not valid; those that only ClickHouse refuses have a test of their own.
fn bad(line: Value) -> Option<Given> {
    let invalid = Invalid::of(line);
    let value = invalid.text.map(String::into_bytes);
    let record = Given { topic: "call-events".to_owned(), value, log_at: invalid.log_at, ..Given::default() };
    (invalid.reason != "not_storable").then_some(record)
}

/// The records of all scenarios.
pub fn scenarios() -> Vec<Given> {
    let files = texts("tests/scenarios", ".jsonl").into_iter().filter(|(name, _)| !name.ends_with(".expected"));
    files.flat_map(|(_, text)| text.lines().map(of_line).collect::<Vec<_>>()).collect()
}

/// A reproducible source of trouble (SplitMix64).
pub struct Disorder(u64);

impl Disorder {
    pub fn with_seed(seed: u64) -> Self {
        println!("seed of the disorder: {seed}");
        Disorder(seed)
    }

    /// A number below `most`.
    pub fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most
    }

    /// Sends some records twice, some much later, some to the wrong partition, with an upper-case key, with none, or to
    /// another topic; and mixes neighbours.
    pub fn apply(&mut self, records: Vec<Given>, slots: i32) -> Vec<Given> {
        let count = records.len() as u64;
        let mut placed: Vec<(u64, Given)> = Vec::with_capacity(records.len() * 2);
        for (index, record) in records.into_iter().enumerate() {
            if self.below(10) == 0 {
                placed.push((index as u64 + self.below(count), self.mislay(record.clone(), slots)));
            }
            let late = if self.below(50) == 0 { self.below(count) } else { self.below(40) };
            placed.push((index as u64 + late, self.mislay(record, slots)));
        }
        placed.sort_by_key(|(place, _)| *place);
        placed.into_iter().map(|(_, record)| record).collect()
    }

    /// Sends it to another place, with another key or with none, or leaves it as it is.
    pub fn mislay(&mut self, mut record: Given, slots: i32) -> Given {
        match self.below(20) {
            0 => record.partition = Some(self.below(slots as u64) as i32),
            1 => record.key = record.key.map(|key| key.to_ascii_uppercase()),
            2 => record.key = None,
            3 => record.topic = "device-events".to_owned(),
            4 => record.topic = "call-events".to_owned(),
            5 => record.headers.push(("traceparent".to_owned(), b"00-0af7-b7ad-01".to_vec())),
            _ => {}
        }
        record
    }
}
