//! A webhook that keeps what it was sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// See the module's text.
#[derive(Clone)]
pub struct Hook {
    pub url: String,
    received: Arc<Mutex<Vec<Value>>>,
}

impl Hook {
    pub fn start() -> Hook {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let hook = Hook { url: format!("http://{}", listener.local_addr().unwrap()), received: Arc::default() };
        let serving = hook.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serving.serve(stream);
            }
        });
        hook
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_ok()
            && let Ok(body) = serde_json::from_slice(&body)
        {
            self.received.lock().unwrap().push(body);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        }
    }

    /// Status and name of every alert that it was told of, in order.
    pub fn told(&self) -> Vec<(String, String)> {
        let received = self.received.lock().unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        received.iter().map(|body| (text(&body["status"]), text(&body["commonLabels"]["alertname"]))).collect()
    }

    /// Everything that it was sent.
    pub fn received(&self) -> Vec<Value> {
        self.received.lock().unwrap().clone()
    }
}
