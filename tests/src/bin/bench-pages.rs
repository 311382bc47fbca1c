//! How long each page of the dashboards waits, with many legs stored (`ringtrace_tests::bench::pages`).

use std::path::PathBuf;

use clap::Parser;
use ringtrace_tests::bench::pages::{Question, Range, Store, fill, measure, questions};

const PAGES: &str = include_str!("../bench/pages/pages.sql");

const DAY_S: u32 = 86_400;

/// Fills an embedded ClickHouse, rolls it up, and measures what pages ask of it.
#[derive(Debug, Parser)]
struct Args {
    /// Legs to store, over the days
    #[arg(long, env = "RINGTRACE_BENCH_LEGS", default_value_t = 100_000_000)]
    legs: u64,
    /// Days that they are spread over
    #[arg(long, env = "RINGTRACE_BENCH_DAYS", default_value_t = 30)]
    days: u32,
    /// How often each question is asked; the median counts
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Instead of SQL, ask requests of `ringtrace serve`: blocks of `-- PAGE: WHAT`, a path with {{from}} and the like, `;`
    #[arg(long, value_name = "FILE", requires = "command")]
    requests: Option<PathBuf>,
    /// What starts that server; it finds ClickHouse's address in RINGTRACE_CLICKHOUSE_URL, and listens on --server
    #[arg(long, value_name = "COMMAND")]
    command: Option<String>,
    /// Where it listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    server: String,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> std::io::Result<()> {
    let args = Args::parse();
    let store = Store::start().await;
    let now = store.text("SELECT toString(toUnixTimestamp(toStartOfDay(now('UTC'))))").await;
    let end: u32 = now.parse().map_err(std::io::Error::other)?;
    fill(&store, args.legs, args.days, end).await;
    let (questions, served) = match (&args.requests, &args.command) {
        (Some(file), Some(command)) => {
            let served = serve(command, &store)?;
            ringtrace_tests::stack::wait_for("the server", || std::net::TcpStream::connect(&args.server).is_ok());
            (questions(&std::fs::read_to_string(file)?, Some(&args.server)), Some(served))
        }
        _ => (questions(PAGES, None), None),
    };
    let ranges = [
        Range { name: "24 h", from: end - DAY_S, to: end, before_s: 7 * DAY_S, step_s: 1_800 },
        Range { name: "30 d", from: end - 30 * DAY_S, to: end, before_s: 0, step_s: 43_200 },
    ];
    println!("{:<12} {:<58} {:>6} {:>9} {:>9}", "page", "question", "range", "median s", "CPU s");
    for range in ranges {
        report(&store, &questions, range, args.rounds).await;
    }
    if let Some(mut served) = served {
        served.kill()?;
        served.wait()?;
    }
    Ok(())
}

fn serve(command: &str, store: &Store) -> std::io::Result<std::process::Child> {
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or_default();
    std::process::Command::new(program).args(words).env("RINGTRACE_CLICKHOUSE_URL", &store.config.clickhouse.url).spawn()
}

/// Each question by itself, then each page with all of its questions side by side.
async fn report(store: &Store, questions: &[Question], range: Range, rounds: usize) {
    let one = "SELECT concat(tenant_id, ' ', toString(call_uuid)) FROM events_rows ORDER BY cityHash64(call_uuid) LIMIT 1";
    let call = store.text(one).await;
    let (tenant, call_uuid) = call.split_once(' ').unwrap_or_default();
    let device = store.text("SELECT device_id FROM legs_rows LIMIT 1").await;
    let names = [("tenant", tenant.to_owned()), ("call_uuid", call_uuid.to_owned()), ("device", device)];
    let questions: Vec<Question> = questions.iter().map(|question| question.about(range, &names)).collect();
    let line = |page: &str, what: &str, wall: f64, cpu: f64| {
        println!("{page:<12} {what:<58} {:>6} {wall:>9.3} {cpu:>9.2}", range.name);
    };
    let mut pages: Vec<&str> = questions.iter().map(|question| question.page.as_str()).collect();
    pages.dedup();
    for page in pages {
        let of_page: Vec<Question> = questions.iter().filter(|question| question.page == page).cloned().collect();
        for question in &of_page {
            let measured = measure(store, std::slice::from_ref(question), rounds).await;
            line(page, &question.what, measured.wall, measured.cpu);
        }
        let measured = measure(store, &of_page, rounds).await;
        line(page, "ALL, SIDE BY SIDE", measured.wall, measured.cpu);
    }
}
