//! Requests as plain as can be: to health and metrics, and to the fault proxy.

use std::io::{Read, Write};
use std::net::TcpStream;

/// The answer to a GET, as it comes over the wire; empty when there is none.
pub fn get(address: &str, path: &str) -> String {
    request(address, "GET", path, "")
}

/// The answer to a request, as it comes over the wire; empty when there is none.
pub fn request(address: &str, method: &str, path: &str, body: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(address) else { return String::new() };
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let mut answer = String::new();
    let sent = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut answer));
    sent.map(|_| answer).unwrap_or_default()
}

/// An answer in its parts.
#[derive(Debug)]
pub struct Answer {
    /// The status; 0 where there was no answer.
    pub status: u16,
    /// Head, as it came.
    pub head: String,
    /// Body, as it came.
    pub body: String,
}

/// The answer to a GET with headers of its own, read to its end (HTTP/1.0: nothing is chunked).
pub fn ask(address: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let host =
        if headers.iter().any(|(name, _)| *name == "Host") { String::new() } else { format!("Host: {address}\r\n") };
    let own: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let mut text = String::new();
    if let Ok(mut stream) = TcpStream::connect(address) {
        let sent = stream.write_all(format!("GET {path} HTTP/1.0\r\n{host}{own}\r\n").as_bytes());
        // What came before a connection breaks off is all there is.
        let _ = sent.and_then(|()| stream.read_to_string(&mut text));
    }
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// A connection on which a GET was sent, and nothing was read yet.
///
/// # Panics
/// When nobody listens.
pub fn begin(address: &str, path: &str, headers: &[(&str, &str)]) -> TcpStream {
    let own: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n{own}\r\n");
    stream.write_all(request.as_bytes()).expect("the request is sent");
    stream
}
