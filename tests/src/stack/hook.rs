//! A webhook that keeps what it was sent, over HTTP or HTTPS.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Name};
use serde_json::Value;

/// See the module's text.
#[derive(Clone)]
pub struct Hook {
    /// Where it listens.
    pub url: String,
    received: Arc<Mutex<Vec<(Instant, Value)>>>,
}

impl Hook {
    /// Starts it on a port of its own, for as long as this process lives.
    pub fn start() -> Hook {
        Hook::listen("http://127.0.0.1", Some)
    }

    /// The same over TLS, with a certificate that signs itself for `localhost`, and is written to a file.
    pub fn secure(certificate: &Path) -> Hook {
        let (acceptor, pem) = acceptor().expect("OpenSSL makes a certificate");
        fs::write(certificate, pem).expect("target/ can be written");
        Hook::listen("https://localhost", move |stream| acceptor.accept(stream).ok())
    }

    fn listen<S: Read + Write>(base: &str, open: impl Fn(TcpStream) -> Option<S> + Send + 'static) -> Hook {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has a free port");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let hook = Hook { url: format!("{base}:{port}"), received: Arc::default() };
        let serving = hook.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten().filter_map(open) {
                serving.serve(BufReader::new(stream));
            }
        });
        hook
    }

    fn serve(&self, mut reader: BufReader<impl Read + Write>) {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length is a number");
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_ok()
            && let Ok(body) = serde_json::from_slice(&body)
        {
            self.received.lock().expect("nobody panicked here").push((Instant::now(), body));
            let _ = reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        }
    }

    /// Status and name of every alert that it was told of, in order.
    pub fn told(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let told = self.received().into_iter();
        told.map(|body| (text(&body["status"]), text(&body["commonLabels"]["alertname"]))).collect()
    }

    /// Everything that it was sent.
    pub fn received(&self) -> Vec<Value> {
        self.timed().into_iter().map(|(_, body)| body).collect()
    }

    /// Everything that it was sent, and when.
    pub fn timed(&self) -> Vec<(Instant, Value)> {
        self.received.lock().expect("nobody panicked here").clone()
    }
}

/// Serves as `localhost`; with its certificate as PEM.
fn acceptor() -> Result<(SslAcceptor, Vec<u8>), ErrorStack> {
    let key = PKey::from_rsa(Rsa::generate(2048)?)?;
    let mut subject = X509Name::builder()?;
    subject.append_entry_by_text("CN", "localhost")?;
    let subject = subject.build();
    let mut certificate = X509::builder()?;
    certificate.set_version(2)?;
    certificate.set_serial_number(BigNum::from_u32(1)?.to_asn1_integer()?.as_ref())?;
    certificate.set_subject_name(&subject)?;
    certificate.set_issuer_name(&subject)?;
    certificate.set_pubkey(&key)?;
    certificate.set_not_before(Asn1Time::days_from_now(0)?.as_ref())?;
    certificate.set_not_after(Asn1Time::days_from_now(1)?.as_ref())?;
    let names = SubjectAlternativeName::new().dns("localhost").build(&certificate.x509v3_context(None, None))?;
    certificate.append_extension(names)?;
    certificate.sign(&key, MessageDigest::sha256())?;
    let certificate = certificate.build();
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    acceptor.set_certificate(&certificate)?;
    acceptor.set_private_key(&key)?;
    Ok((acceptor.build(), certificate.to_pem()?))
}
