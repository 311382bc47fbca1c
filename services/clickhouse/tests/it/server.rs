//! One engine and one listener for the whole test process: a process can hold only one data directory.

use std::path::PathBuf;
use std::sync::OnceLock;

use reqwest::{RequestBuilder, Response};
use ringtrace_clickhouse::{Access, Engine, find_library, serve};
use tokio::net::TcpListener;

pub struct Server {
    pub url: String,
    pub http: reqwest::Client,
}

/// The server, started by the first test that asks.
///
/// # Panics
///
/// When the library is not installed: run `npm ci` in `services/clickhouse` first.
pub fn server() -> Server {
    static URL: OnceLock<String> = OnceLock::new();
    let url = URL.get_or_init(|| {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let engine = open("ringtrace-clickhouse-it");
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                sender.send(format!("http://{}", listener.local_addr().unwrap())).unwrap();
                serve(engine, listener, None, std::future::pending()).await.unwrap();
            });
        });
        receiver.recv().expect("the engine did not start; its panic is above")
    });
    Server { url: url.clone(), http: reqwest::Client::builder().no_proxy().build().unwrap() }
}

fn open(name: &str) -> Engine {
    let library = find_library().unwrap_or_else(|error| panic!("{error}"));
    Engine::open(&library, &fresh_directory(name), Access::Inside).unwrap_or_else(|error| panic!("{error}"))
}

/// An empty directory for this process. Those of processes that have ended are removed.
pub fn fresh_directory(name: &str) -> PathBuf {
    let parent = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&parent).unwrap();
    for entry in std::fs::read_dir(&parent).unwrap().flatten() {
        let file = entry.file_name().into_string().unwrap_or_default();
        let process = file.rsplit_once('-').and_then(|(_, process)| process.parse::<u32>().ok());
        let ended = process.is_some_and(|process| !PathBuf::from(format!("/proc/{process}")).exists());
        if ended || process == Some(std::process::id()) && file.starts_with(name) {
            let _removed_by_another = std::fs::remove_dir_all(entry.path());
        }
    }
    parent.join(format!("{name}-{}", std::process::id()))
}

/// Waits up to ten seconds until the condition holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    for _ in 0..200 {
        if condition().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("not within ten seconds: {what}");
}

impl Server {
    /// A POST with these URL parameters.
    pub fn post(&self, parameters: &[(&str, &str)], body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.http.post(&self.url).query(parameters).body(body)
    }

    /// The text of a successful answer.
    pub async fn ask(&self, parameters: &[(&str, &str)], sql: &str) -> String {
        let response = self.post(parameters, sql.to_owned()).send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{sql}: {status} {text}");
        text.trim_end().to_owned()
    }

    pub async fn run(&self, sql: &str) {
        assert_eq!(self.ask(&[], sql).await, "", "{sql}");
    }

    /// Status, exception code and text of an answer.
    pub async fn outcome(request: RequestBuilder) -> (u16, Option<u16>, String) {
        let response = request.send().await.unwrap();
        let code = header(&response, "x-clickhouse-exception-code").and_then(|code| code.parse().ok());
        (response.status().as_u16(), code, response.text().await.unwrap())
    }

    /// The `clickhouse` crate's client for this server.
    pub fn client(&self) -> clickhouse::Client {
        clickhouse::Client::default().with_url(&self.url)
    }
}

pub fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
}
