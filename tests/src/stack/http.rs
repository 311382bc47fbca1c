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
