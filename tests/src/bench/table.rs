//! The results as a plain table.

use super::{Subject, Usage};

/// What of the linker with its rows dropped, over the consumer with a parser, is usual: CPU seconds, on two cores.
const USUAL: f64 = 2.1;

/// So much above what is usual is worth a look, and no error: machines and neighbours differ.
const WORTH_A_LOOK: f64 = 1.2;

const HEAD: [&str; 13] = [
    "CPU s/M",
    "min",
    "max",
    "x bare",
    "x parser",
    "M/CPU s",
    "events/s",
    "ClickHouse",
    "merged",
    "rows/event",
    "Kafka",
    "peak MiB",
    "others",
];

/// Prints the medians of all rounds, with the least and the most CPU.
pub fn print(rounds: &[Vec<(Subject, Usage)>]) {
    line("", &HEAD.map(str::to_owned));
    let of = |subject| -> Vec<Usage> {
        rounds.iter().flatten().filter(|(other, _)| *other == subject).map(|(_, usage)| *usage).collect()
    };
    // Peers don't read the topic of the devices.
    let millions = |usage: &Usage| usage.events as f64 / 1e6;
    let own = |subject| median(&of(subject), |usage| usage.own / millions(usage));
    for subject in Subject::ALL {
        let all = of(subject);
        let Some(cpu) = own(subject) else { continue };
        let ratio = |to: Option<f64>| to.map_or_else(|| "-".to_owned(), |to| format!("{:.2}", cpu / to));
        let middle = |value: &dyn Fn(&Usage) -> f64| median(&all, value).unwrap_or_default();
        let has_rows = middle(&|usage| usage.rows as f64) > 0.0;
        let of_rows = |number: f64| if has_rows { format!("{number:.2}") } else { "-".to_owned() };
        let end = |pick: fn(f64, f64) -> f64| {
            all.iter().map(|usage| usage.own / millions(usage)).reduce(pick).unwrap_or_default()
        };
        line(
            subject.name(),
            &[
                format!("{cpu:.2}"),
                format!("{:.2}", end(f64::min)),
                format!("{:.2}", end(f64::max)),
                ratio(own(Subject::Bare)),
                ratio(own(Subject::Parser)),
                format!("{:.3}", 1.0 / cpu),
                format!("{:.0}", middle(&|usage| usage.events as f64 / usage.wall)),
                of_rows(middle(&|usage| usage.clickhouse / millions(usage))),
                of_rows(middle(&|usage| usage.clickhouse_merged / millions(usage))),
                of_rows(middle(&|usage| usage.rows as f64 / usage.events as f64)),
                format!("{:.2}", middle(&|usage| usage.kafka / millions(usage))),
                format!("{:.0}", middle(&|usage| usage.peak_mib)),
                format!("{:.2}", middle(&|usage| usage.others / usage.wall)),
            ],
        );
    }
    println!(
        "\"and linker's records\": parses, and writes to Kafka what the linker writes, with nothing linked.\n\
         Medians of {} rounds. CPU s/M: CPU seconds of this process (librdkafka's threads included) per million events,\n\
         and their least and most; x: times that of the bare consumer, and of the one with a parser; M/CPU s: million\n\
         events in a CPU second. ClickHouse, Kafka: their CPU seconds per million events; merged: ClickHouse's until\n\
         each partition was one part. rows/event: rows that ClickHouse took, of all tables. peak: of this process, what earlier work\n\
         left behind included. others: cores that everything else on the machine kept busy meanwhile.\n\
         Peers (tests/bench/README.md says what they leave out): CPU and peak of their own process, start and compiler\n\
         included; that of ClickHouse's engine is a ClickHouse of its own, merged with its merges.",
        rounds.len()
    );
    if let (Some(linker), Some(parser)) = (own(Subject::Discard), own(Subject::Parser)) {
        let ratio = linker / parser;
        let said = if ratio > USUAL * WORTH_A_LOOK { "WARNING: slower than usual" } else { "as usual" };
        println!("linker over parser: {ratio:.2} ({USUAL} is usual): {said}");
    }
}

/// The middle of what there is of a value; the lower one of two.
fn median(all: &[Usage], value: impl Fn(&Usage) -> f64) -> Option<f64> {
    let mut values: Vec<f64> = all.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

fn line(what: &str, cells: &[String; 13]) {
    let numbers: String = cells.iter().map(|cell| format!(" {cell:>10}")).collect();
    println!("{what:<20}{numbers}");
}
