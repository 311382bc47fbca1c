//! What a million events cost: the linker beside consumers that do less, on the same records, in one process.

pub mod alerts;
mod consume;
mod input;
mod insert;
mod link;
pub mod live;
pub mod pages;
mod peers;
mod relay;
pub mod steady;
mod table;
mod usage;

use ringtrace_model::Event;

use crate::stack::Case;

pub use input::{Input, Shape, fill};
pub use link::{Linking, To};
pub use table::print;
pub use usage::{Meter, Usage};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Subject {
    /// A consumer that counts bytes.
    Bare,
    /// The same, and it parses every value.
    Parser,
    /// The same, and it produces the linker's records, with nothing linked.
    Relay,
    /// The linker, its rows encoded and dropped.
    Discard,
    /// The linker, its rows written to the embedded ClickHouse.
    Clickhouse,
    /// A loop that inserts the linker's rows, with nothing linked.
    Insert,
    /// Kafka Streams, the DSL with JSON as state.
    StreamsDsl,
    /// Kafka Streams, the Processor API with binary state.
    StreamsProcessor,
    /// Flink, a keyed function with timers.
    Flink,
    /// ClickHouse's Kafka engine, every event kept.
    ClickhouseEngine,
}

impl Subject {
    /// All of them, the cheapest first.
    pub const ALL: [Subject; 10] = [
        Subject::Bare,
        Subject::Parser,
        Subject::Relay,
        Subject::Discard,
        Subject::Clickhouse,
        Subject::Insert,
        Subject::StreamsDsl,
        Subject::StreamsProcessor,
        Subject::Flink,
        Subject::ClickhouseEngine,
    ];

    /// Whether it is what people would use instead (`tests/bench`), which is built apart.
    pub fn is_peer(self) -> bool {
        use Subject::{ClickhouseEngine, Flink, StreamsDsl, StreamsProcessor};
        matches!(self, StreamsDsl | StreamsProcessor | Flink | ClickhouseEngine)
    }

    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Subject::Bare => "bare consumer",
            Subject::Parser => "consumer and parser",
            Subject::Relay => "and linker's records",
            Subject::Discard => "linker, rows dropped",
            Subject::Clickhouse => "linker, ClickHouse",
            Subject::Insert => "its rows, inserted",
            Subject::StreamsDsl => "Kafka Streams DSL",
            Subject::StreamsProcessor => "Kafka Streams API",
            Subject::Flink => "Flink",
            Subject::ClickhouseEngine => "ClickHouse's engine",
        }
    }

    /// Reads everything once, in round `round`, with a consumer group of its own.
    ///
    /// # Panics
    /// When not every event was processed.
    pub fn measure(self, round: usize, case: &Case, input: &Input, meter: &Meter) -> Usage {
        let name = format!("bench-{self:?}-{round}").to_lowercase();
        match self {
            Subject::Bare => {
                let take = |value: &[u8], _| assert!(!value.is_empty(), "every record has a value");
                Usage { events: input.events, ..meter.measure(|| consume::all(case, &name, input, take)) }
            }
            Subject::Parser => {
                let take = |value: &[u8], log_at| {
                    let event = Event::parse(value, log_at).expect("simulated events are valid");
                    std::hint::black_box(&event);
                };
                Usage { events: input.events, ..meter.measure(|| consume::all(case, &name, input, take)) }
            }
            Subject::Relay => relay::measure(&name, case, input, meter),
            Subject::Discard => link(case, &name, To::Discard, input, meter),
            Subject::Clickhouse => link(case, &name, To::ClickHouse, input, meter),
            Subject::Insert => insert::measure(&name, case, input, meter),
            Subject::StreamsDsl => peers::java("StreamsDsl", "streams", &name, case, input, meter),
            Subject::StreamsProcessor => peers::java("StreamsProcessor", "streams", &name, case, input, meter),
            Subject::Flink => peers::java("FlinkJob", "flink", &name, case, input, meter),
            Subject::ClickhouseEngine => peers::clickhouse(&name, case, input, meter),
        }
    }
}

fn link(case: &Case, name: &str, to: To, input: &Input, meter: &Meter) -> Usage {
    let linking = Linking::prepare(case, name, to);
    let (before, rows_before) = (meter.counts(), linking.rows(case));
    let usage = meter.measure_merged(|| linking.run(), || linking.merge());
    linking.check(case, input, before, meter.counts());
    Usage { events: input.events, rows: linking.rows(case) - rows_before, ..usage }
}
