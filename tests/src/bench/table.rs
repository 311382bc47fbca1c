//! The results as a plain table.

use super::{Subject, Usage};

const HEAD: [&str; 13] = [
    "round",
    "what",
    "wall s",
    "events/s",
    "CPU s/M",
    "x bare",
    "x parser",
    "ClickHouse",
    "merged",
    "rows/event",
    "Kafka",
    "peak MiB",
    "others",
];

/// Prints every round, then the best of each: the one with the least CPU.
pub fn print(events: u64, rounds: &[Vec<(Subject, Usage)>]) {
    line(&HEAD.map(str::to_owned));
    for (nth, round) in rounds.iter().enumerate() {
        block(&(nth + 1).to_string(), events, round);
    }
    let best = Subject::ALL.iter().filter_map(|subject| {
        let of_subject = rounds.iter().flatten().filter(|(other, _)| other == subject);
        of_subject.min_by(|(_, one), (_, other)| one.own.total_cmp(&other.own)).copied()
    });
    block("best", events, &best.collect::<Vec<_>>());
    println!(
        "CPU s/M: CPU seconds of this process (librdkafka's threads included) per million events; x: times that of the\n\
         bare consumer, and of the one with a parser. ClickHouse, Kafka: their CPU seconds per million events; merged:\n\
         ClickHouse's until it was idle again. rows/event: rows that ClickHouse took, of all tables. peak: of this process,\n\
         what earlier work left behind included. others: cores that everything else on the machine kept busy meanwhile."
    );
}

fn block(name: &str, events: u64, round: &[(Subject, Usage)]) {
    let own = |subject| round.iter().find(|(other, _)| *other == subject).map(|(_, usage)| usage.own);
    let (bare, parser) = (own(Subject::Bare), own(Subject::Parser));
    let millions = events as f64 / 1e6;
    for (subject, usage) in round {
        let ratio = |to: Option<f64>| to.map_or_else(|| "-".to_owned(), |to| format!("{:.2}", usage.own / to));
        let of_rows = |number: f64| if usage.rows > 0 { format!("{number:.2}") } else { "-".to_owned() };
        line(&[
            name.to_owned(),
            subject.name().to_owned(),
            format!("{:.2}", usage.wall),
            format!("{:.0}", events as f64 / usage.wall),
            format!("{:.2}", usage.own / millions),
            ratio(bare),
            ratio(parser),
            of_rows(usage.clickhouse / millions),
            of_rows(usage.clickhouse_merged / millions),
            of_rows(usage.rows as f64 / events as f64),
            format!("{:.2}", usage.kafka / millions),
            format!("{:.0}", usage.peak_mib),
            format!("{:.2}", usage.others / usage.wall),
        ]);
    }
}

fn line(cells: &[String; 13]) {
    let [round, what, numbers @ ..] = cells;
    let numbers: String = numbers.iter().map(|number| format!(" {number:>10}")).collect();
    println!("{round:<5} {what:<21}{numbers}");
}
