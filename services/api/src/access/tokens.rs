//! Tokens from the configuration: only their SHA-256 is known, and compared in constant time.

use std::path::Path;
use std::sync::Arc;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use ringtrace_kit::config;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Reader, Rights, Role};

/// Random bytes of a token: nobody guesses it, so that a plain hash keeps it (no salt, no stretching).
const TOKEN_BYTES: usize = 32;

/// Stands for all tenants.
const ALL: &str = "*";

/// What is wrong with `serve.tokens`.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// The file can't be read.
    #[error("serve.tokens = \"{path}\" can't be read")]
    File {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file has another shape.
    #[error("serve.tokens = \"{path}\" is not accepted: {problem}; expected a list `tokens`")]
    Syntax {
        /// The file.
        path: String,
        /// Where, and what.
        problem: String,
    },
    /// A token that is not accepted.
    #[error("token {name:?} of serve.tokens: {problem}")]
    Token {
        /// Its name.
        name: String,
        /// What is wrong, and what would do.
        problem: String,
    },
    /// No random numbers.
    #[error("OpenSSL gives no random bytes")]
    Random(#[from] openssl::error::ErrorStack),
}

/// All tokens that are known.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Vec<([u8; 32], Reader)>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tokens: Vec<config::Token>,
}

impl Tokens {
    /// Reads the tokens of a configuration.
    ///
    /// # Errors
    /// The first one that is not accepted.
    pub(crate) fn load(tokens: &config::Tokens) -> Result<Self, TokensError> {
        let listed = match tokens {
            config::Tokens::Here(listed) => listed.clone(),
            config::Tokens::File(path) => read(path)?,
        };
        let mut all: Vec<([u8; 32], Reader)> = Vec::new();
        for token in listed {
            let twice = all.iter().any(|(_, other)| other.name() == Some(&token.name));
            let entry = if twice { Err("another has this name".to_owned()) } else { entry(&token) };
            all.push(entry.map_err(|problem| TokensError::Token { name: token.name, problem })?);
        }
        Ok(Tokens(all))
    }

    /// Whether none is configured.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who has a token; `None` for nobody. Looks at every token, and compares in constant time.
    pub(crate) fn reader(&self, token: &str) -> Option<Reader> {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut found = None;
        for (known, reader) in &self.0 {
            if openssl::memcmp::eq(known, &hash) {
                found = Some(reader.clone());
            }
        }
        found
    }
}

fn read(path: &Path) -> Result<Vec<config::Token>, TokensError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| TokensError::File { path: name.clone(), source })?;
    let file: File =
        toml::from_str(&text).map_err(|error| TokensError::Syntax { path: name, problem: error.to_string() })?;
    Ok(file.tokens)
}

fn entry(token: &config::Token) -> Result<([u8; 32], Reader), String> {
    let hash = from_hex(&token.sha256).ok_or("sha256 is expected to be 64 hexadecimal digits")?;
    let role = |name: &String| Role::ALL.into_iter().find(|role| role.as_str() == name);
    let roles: Option<Vec<Role>> = token.roles.iter().map(role).collect();
    let roles = roles.filter(|roles| !roles.is_empty()).ok_or("roles are expected to be of read, ingest, admin")?;
    let tenants = match token.tenants.as_slice() {
        [] => return Err("tenants are expected, or \"*\" for all".to_owned()),
        tenants if tenants.iter().any(|tenant| tenant == ALL) => None,
        tenants => Some(tenants.to_vec()),
    };
    Ok((hash, Reader(Arc::new(Rights { name: Some(token.name.clone()), roles, tenants }))))
}

/// A SHA-256 from its digits, in either case.
fn from_hex(text: &str) -> Option<[u8; 32]> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?.try_into().ok()
}

/// Makes a token; gives it and its SHA-256, both as text.
///
/// # Errors
/// There are no random numbers.
pub fn make() -> Result<(String, String), TokensError> {
    let mut bytes = [0; TOKEN_BYTES];
    openssl::rand::rand_bytes(&mut bytes)?;
    let token = format!("rt_{}", HEXLOWER.encode(&bytes));
    let hash = HEXLOWER.encode(&Sha256::digest(token.as_bytes()));
    Ok((token, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(name: &str, sha256: &str, roles: &[&str], tenants: &[&str]) -> config::Token {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        config::Token { name: name.to_owned(), sha256: sha256.to_owned(), roles: texts(roles), tenants: texts(tenants) }
    }

    #[test]
    fn a_made_token_is_known_by_its_hash_alone() {
        let ((one, hash), (other, _)) = (make().unwrap(), make().unwrap());
        assert_ne!(one, other);
        let listed = vec![token("sre", &hash, &["read"], &["acme"])];
        let tokens = Tokens::load(&config::Tokens::Here(listed)).unwrap();
        let reader = tokens.reader(&one).unwrap();
        assert_eq!((reader.name(), reader.tenants()), (Some("sre"), Some(&["acme".to_owned()][..])));
        assert!(reader.may(Role::Read) && !reader.may(Role::Ingest));
        assert!(tokens.reader(&other).is_none() && tokens.reader(&hash).is_none() && tokens.reader("").is_none());
    }

    #[test]
    fn what_is_wrong_with_a_token_is_said() {
        let hash = "0".repeat(64);
        for (token, part) in [
            (token("a", "12", &["read"], &["*"]), "64 hexadecimal"),
            (token("a", &hash, &["boss"], &["*"]), "read, ingest, admin"),
            (token("a", &hash, &[], &["*"]), "read, ingest, admin"),
            (token("a", &hash, &["read"], &[]), "for all"),
        ] {
            let error = Tokens::load(&config::Tokens::Here(vec![token])).unwrap_err().to_string();
            assert!(error.contains("\"a\"") && error.contains(part), "{error}");
        }
        let twice = vec![token("a", &hash, &["read"], &["*"]); 2];
        assert!(Tokens::load(&config::Tokens::Here(twice)).unwrap_err().to_string().contains("another"));
    }
}
