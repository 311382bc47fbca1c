//! A data directory over several processes. The test runs itself again as the other process.

use std::path::Path;
use std::process::{Command, Output};

use ringtrace_clickhouse::{Access, Engine, Error, find_library, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::server::fresh_directory;

const DATA: &str = "RINGTRACE_IT_DATA";
const SQL: &str = "RINGTRACE_IT_SQL";

#[test]
fn data_outlives_the_process() {
    if let (Ok(data), Ok(sql)) = (std::env::var(DATA), std::env::var(SQL)) {
        return child(Path::new(&data), &sql);
    }
    let data = fresh_directory("ringtrace-clickhouse-restart");
    assert_eq!(answer(&data, "CREATE TABLE kept (a UInt32) ENGINE = MergeTree ORDER BY a"), "");
    assert_eq!(answer(&data, "INSERT INTO kept SELECT number FROM numbers(1000)"), "");
    assert_eq!(answer(&data, "SELECT count(), sum(a) FROM kept"), "1000\t499500");
    std::fs::remove_dir_all(&data).unwrap();
}

/// What a process of its own answers.
fn answer(data: &Path, sql: &str) -> String {
    let output = another_process(data, sql);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{sql}: {text} {}", String::from_utf8_lossy(&output.stderr));
    let answer = text.split("answer<").nth(1).and_then(|rest| rest.split('>').next());
    answer.unwrap_or_else(|| panic!("{sql}: no answer in {text}")).to_owned()
}

fn another_process(data: &Path, sql: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["restart::data_outlives_the_process", "--exact", "--nocapture"])
        .env(DATA, data)
        .env(SQL, sql)
        .output()
        .unwrap()
}

/// Opens, asks over HTTP, shuts down while the connection is open, and sees the engine closed.
fn child(data: &Path, sql: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let engine = match Engine::open(&find_library().unwrap(), data, Access::Inside) {
        Err(Error::InUse { .. }) => return println!("answer<refused>"),
        engine => engine.unwrap(),
    };
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(serve(engine.clone(), listener, None, async { stopped.await.unwrap() }));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let response = http.post(&url).body(sql.to_owned()).send().await.unwrap().error_for_status().unwrap();
        println!("answer<{}>", response.text().await.unwrap().trim_end());
        stop.send(()).unwrap();
        serving.await.unwrap().unwrap();
    });
}

#[test]
fn a_second_process_is_refused() {
    let server = crate::server::server();
    let sql = "SELECT path FROM system.disks WHERE name = 'default'";
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let data = runtime.block_on(server.ask(&[], sql));
    assert_eq!(answer(Path::new(&data), "SELECT 1"), "refused");
}
