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
