//! How long each page of the dashboards waits, with many legs stored (`ringtrace_tests::bench::pages`).

use std::path::PathBuf;

use clap::Parser;
use ringtrace_tests::bench::pages::{
    Api, Measured, Names, Question, REQUESTS, Range, Store, fill, measure, questions, sizes,
};

/// Fills an embedded ClickHouse, rolls it up, and asks of `ringtrace serve` what pages ask.
#[derive(Debug, Parser)]
struct Args {
    /// Legs to store, over the days
    #[arg(long, env = "RINGTRACE_BENCH_LEGS", default_value_t = 100_000_000)]
    legs: u64,
    /// Days that they are spread over
    #[arg(long, env = "RINGTRACE_BENCH_DAYS", default_value_t = 30)]
    days: u32,
    /// How often each request is sent; the median counts
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Keep the data here, and use what an earlier run has kept
    #[arg(long, env = "RINGTRACE_BENCH_DATA", value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Only pages whose path begins like this
    #[arg(long, value_name = "PATH", default_value = "/")]
    page: String,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> std::io::Result<()> {
    let args = Args::parse();
    let store = Store::start(args.data).await;
    let day = async || store.text("SELECT toString(toUnixTimestamp(max(first_seen))) FROM rolled_slices_rows").await;
    if day().await == "0" {
        let midnight = store.text("SELECT toString(toUnixTimestamp(toStartOfDay(now('UTC'))))").await;
        fill(&store, args.legs, args.days, midnight.parse().map_err(std::io::Error::other)?).await;
    }
    println!("{}", sizes(&store).await);
    let api = store.serve();
    // The last ten minutes are begun, and ranges begin in the midst of ten others.
    let end: i64 = day().await.parse().map_err(std::io::Error::other)?;
    let moment = async |s: i64| store.text(&format!("SELECT formatDateTime(toDateTime({s}, 'UTC'), '%FT%TZ')")).await;
    let to = moment(end + 400).await;
    let ranges = [("24 h", 1), ("30 d", 30)];
    let names = "SELECT tenant_id, toString(call_uuid), device_id FROM legs_rows
        WHERE call_uuid IN (SELECT call_uuid FROM events_rows WHERE first_seen = (SELECT max(first_seen) FROM events_rows))
        ORDER BY cityHash64(call_uuid) LIMIT 1";
    let (tenant, call, device) = store.client.query(names).fetch_one().await.map_err(std::io::Error::other)?;
    let names = Names { tenant, call, device };
    println!("{:>5} {:>9} {:>9}  page and request", "range", "median s", "CPU s");
    for (name, days) in ranges {
        let range = Range { name, from: moment(end + 400 - days * 86_400).await, to: to.clone() };
        let mut asked = questions(REQUESTS);
        asked.retain(|question| question.page.starts_with(&args.page));
        report(&store, &api, &asked, &range, &names, args.rounds).await;
    }
    Ok(())
}

/// Each request by itself, then each page with all of its requests side by side, as a browser sends them.
async fn report(store: &Store, api: &Api, questions: &[Question], range: &Range, names: &Names, rounds: usize) {
    for of_page in questions.chunk_by(|one, next| one.page == next.page) {
        let asked: Vec<Question> = of_page.iter().map(|question| question.about(range, names)).collect();
        let line = |seconds: Measured, what: &str| {
            println!("{:>5} {:>9.3} {:>9.2}  {what}", range.name, seconds.wall, seconds.cpu);
        };
        for (question, asked) in of_page.iter().zip(&asked) {
            line(measure(store, api, std::slice::from_ref(asked), rounds).await, &format!("  {}", question.request));
        }
        line(measure(store, api, &asked, rounds).await, &format!("{} SIDE BY SIDE", of_page[0].page));
    }
}
