//! A small HTTP server that answers as a test tells it, and keeps what it was sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What it was sent.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: serde_json::Value,
    pub text: String,
}

/// How it answers.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// With a status, headers and a body.
    With(u16, &'static str, &'static str),
    /// Not at all.
    Never,
    /// With bytes that are no HTTP.
    Rubbish,
}

/// See the module's text.
#[derive(Clone)]
pub struct Server {
    pub url: String,
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<Vec<Answer>>>,
}

impl Server {
    /// Gives the answers in turn, and the last one from then on.
    pub fn start(answers: &[Answer]) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let server = Server {
            url,
            received: Arc::default(),
            answers: Arc::new(Mutex::new(answers.iter().rev().copied().collect())),
        };
        let serving = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = serving.clone();
                thread::spawn(move || server.serve(stream));
            }
        });
        server
    }

    fn serve(&self, mut stream: TcpStream) {
        let Some(received) = read(&stream) else { return };
        let answer = {
            let mut answers = self.answers.lock().unwrap();
            if answers.len() > 1 { answers.pop().unwrap() } else { answers[0] }
        };
        self.received.lock().unwrap().push(received);
        match answer {
            Answer::Never => {
                // Until the other side gives up.
                let _ = stream.read(&mut [0]);
            }
            Answer::Rubbish => drop(stream.write_all(b"\x00\x01 what?\n\n")),
            Answer::With(status, headers, body) => {
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n");
                let _ = stream.write_all(format!("{head}{body}").as_bytes());
            }
        }
    }

    /// Everything so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Waits for so many requests.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Received> {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.received().len() < count {
            assert!(Instant::now() < deadline, "{} of {count} requests came", self.received().len());
            thread::park_timeout(Duration::from_millis(10));
        }
        self.received()
    }
}

fn read(stream: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let text = String::from_utf8(body).ok()?;
    Some(Received { path, headers, body: serde_json::from_str(&text).ok()?, text })
}
