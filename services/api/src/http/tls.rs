//! TLS from a certificate and its key, with OpenSSL, which librdkafka brings along.

use openssl::error::ErrorStack;
use openssl::ssl::{AlpnError, SslAcceptor, SslFiletype, SslMethod, select_next_proto};

/// The only protocol that is spoken (ALPN, RFC 7301).
const HTTP_1: &[u8] = b"\x08http/1.1";

/// What is wrong with `serve.tls_certificate` or `serve.tls_key`.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One without the other.
    #[error("serve.tls_certificate and serve.tls_key are needed together")]
    Half,
    /// A file that can't be read.
    #[error("{key} = \"{path}\" is no PEM file of a {what}")]
    File {
        /// The setting.
        key: &'static str,
        /// The file.
        path: String,
        /// What it should be of.
        what: &'static str,
        /// Why.
        #[source]
        source: ErrorStack,
    },
    /// They don't belong together, or OpenSSL refuses.
    #[error("serve.tls_key is not the key of serve.tls_certificate")]
    Pair(#[from] ErrorStack),
}

/// What accepts TLS connections; `None` where neither file is configured. TLS 1.2 and 1.3, as Mozilla's intermediate
/// configuration has it.
///
/// # Errors
/// A file is missing, unreadable, or not of the other's kind.
pub(crate) fn acceptor(certificate: &str, key: &str) -> Result<Option<SslAcceptor>, TlsError> {
    if certificate.is_empty() && key.is_empty() {
        return Ok(None);
    }
    if certificate.is_empty() || key.is_empty() {
        return Err(TlsError::Half);
    }
    let file = |key, path: &str, what| {
        let path = path.to_owned();
        move |source| TlsError::File { key, path, what, source }
    };
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    let of_certificate = file("serve.tls_certificate", certificate, "certificate and its chain");
    builder.set_certificate_chain_file(certificate).map_err(of_certificate)?;
    builder.set_private_key_file(key, SslFiletype::PEM).map_err(file("serve.tls_key", key, "key"))?;
    builder.check_private_key()?;
    builder.set_alpn_select_callback(|_, client| select_next_proto(HTTP_1, client).ok_or(AlpnError::NOACK));
    Ok(Some(builder.build()))
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use axum::Router;
    use axum::routing::get;
    use openssl::asn1::Asn1Time;
    use openssl::pkey::PKey;
    use openssl::rsa::Rsa;
    use openssl::ssl::{SslConnector, SslVerifyMode};
    use openssl::x509::{X509, X509Name};
    use ringtrace_kit::drain::Drain;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_openssl::SslStream;

    use super::*;

    /// A certificate that signs itself, and its key, as PEM files.
    fn files(name: &str) -> (String, String) {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let mut subject = X509Name::builder().unwrap();
        subject.append_entry_by_text("CN", "localhost").unwrap();
        let subject = subject.build();
        let mut certificate = X509::builder().unwrap();
        certificate.set_subject_name(&subject).unwrap();
        certificate.set_issuer_name(&subject).unwrap();
        certificate.set_pubkey(&key).unwrap();
        certificate.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        certificate.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
        certificate.sign(&key, openssl::hash::MessageDigest::sha256()).unwrap();
        let path = |kind: &str| {
            let file = format!("ringtrace-{name}-{kind}-{}.pem", std::process::id());
            std::env::temp_dir().join(file).display().to_string()
        };
        std::fs::write(path("certificate"), certificate.build().to_pem().unwrap()).unwrap();
        std::fs::write(path("key"), key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        (path("certificate"), path("key"))
    }

    #[tokio::test]
    async fn answers_go_over_tls_until_the_drain() {
        let (certificate, key) = files("served");
        let tls = acceptor(&certificate, &key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let drain = Drain::default();
        let router = Router::new().route("/", get(async || "secret"));
        let serving = tokio::spawn(crate::http::serve(listener, tls, router, drain.clone()));

        let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
        connector.set_verify(SslVerifyMode::NONE);
        let ssl = connector.build().configure().unwrap().verify_hostname(false).into_ssl("localhost").unwrap();
        let mut stream = SslStream::new(ssl, TcpStream::connect(address).await.unwrap()).unwrap();
        Pin::new(&mut stream).connect().await.unwrap();
        stream.write_all(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert!(text.ends_with("secret"), "{text}");

        let mut plain = TcpStream::connect(address).await.unwrap();
        plain.write_all(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut bytes = Vec::new();
        // The handshake fails: an alert or a reset, and no answer.
        let _ = plain.read_to_end(&mut bytes).await;
        assert!(!String::from_utf8_lossy(&bytes).contains("secret"));
        drain.start();
        serving.await.unwrap();
        for file in [certificate, key] {
            std::fs::remove_file(file).unwrap();
        }
    }

    #[test]
    fn files_that_do_not_fit_are_named() {
        let ((certificate, key), (other_certificate, other_key)) = (files("one"), files("other"));
        let error = |certificate: &str, key: &str| acceptor(certificate, key).err().unwrap().to_string();
        assert!(error(&certificate, "").contains("together"));
        assert!(error("/nowhere.pem", &key).contains("serve.tls_certificate = \"/nowhere.pem\""));
        assert!(error(&certificate, "/nowhere.pem").contains("serve.tls_key = \"/nowhere.pem\""));
        assert!(error(&certificate, &other_key).contains("serve.tls_key"), "{}", error(&certificate, &other_key));
        for file in [certificate, key, other_certificate, other_key] {
            std::fs::remove_file(file).unwrap();
        }
    }
}
