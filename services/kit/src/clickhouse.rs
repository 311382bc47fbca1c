//! The ClickHouse client, and what its errors mean for a writer.

use std::time::Duration;

use bytes::Bytes;
use clickhouse::error::Error;
use clickhouse::{Client, Compression};

use crate::config::ClickHouse;

/// Settings of every insert: the linker batches itself, and its rows are told apart by key and version. The last three only
/// matter on a cluster: an acknowledgement means that most replicas of the right shard have the rows.
const INSERT_SETTINGS: [(&str, &str); 7] = [
    ("async_insert", "0"),
    // To look for two versions of a row in each block is a quarter of what an insert costs, and they are hardly ever there.
    ("optimize_on_insert", "0"),
    ("insert_deduplicate", "0"),
    ("max_partitions_per_insert_block", "0"),
    ("distributed_foreground_insert", "1"),
    ("insert_quorum", "auto"),
    // Without it, reading with sequential consistency is not defined.
    ("insert_quorum_parallel", "0"),
];

/// How long ClickHouse may take to accept more of a batch, and to acknowledge it.
const SEND: Duration = Duration::from_secs(60);
const END: Duration = Duration::from_secs(180);

/// Network, timeouts, overload, a replica that lags: gone after a while.
const TRANSIENT: [u32; 22] =
    [3, 107, 159, 164, 202, 203, 209, 210, 225, 236, 241, 242, 243, 252, 285, 286, 289, 319, 394, 425, 439, 999];

/// The batch itself can't be stored: cannot parse, type mismatch, ..., a constraint of the table.
const POISON: [u32; 6] = [27, 33, 53, 117, 131, 469];

/// What an error means for a batch that is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The same bytes will be taken later.
    Transient,
    /// Some row of the batch will never be taken.
    Poison,
    /// Neither: someone has to act.
    Other,
}

/// A client of the configured database.
pub fn client(settings: &ClickHouse) -> Client {
    Client::default()
        .with_url(&settings.url)
        .with_database(&settings.database)
        .with_user(&settings.user)
        .with_password(settings.password.expose())
        .with_compression(Compression::None)
        .with_setting("select_sequential_consistency", "1")
}

/// Writes an encoded batch, piece by piece; acknowledged when it returns.
///
/// # Errors
/// As ClickHouse says; the same bytes may be written again.
pub async fn insert(client: &Client, statement: &str, batch: impl IntoIterator<Item = Bytes>) -> Result<(), Error> {
    let mut insert = client.insert_formatted_with(statement).with_timeouts(Some(SEND), Some(END));
    for (name, value) in INSERT_SETTINGS {
        insert = insert.with_setting(name, value);
    }
    for piece in batch {
        insert.send(piece).await?;
    }
    insert.end().await
}

/// Runs a statement that inserts what it selects, with the settings of every insert.
///
/// # Errors
/// As ClickHouse says; a part of the rows may have been written.
pub async fn insert_select(client: &Client, statement: &str) -> Result<(), Error> {
    let settings = INSERT_SETTINGS.into_iter();
    settings.fold(client.query_raw(statement), |query, (name, value)| query.with_setting(name, value)).execute().await
}

/// What an error means for a writer.
pub fn fault(error: &Error) -> Fault {
    match error {
        Error::Network(_) | Error::TimedOut => Fault::Transient,
        other => match (code(other), other) {
            (Some(code), _) if TRANSIENT.contains(&code) => Fault::Transient,
            (Some(code), _) if POISON.contains(&code) => Fault::Poison,
            // Not ClickHouse's own words: a proxy before it, which has lost it for a while.
            (None, Error::BadResponse(_)) => Fault::Transient,
            _ => Fault::Other,
        },
    }
}

/// ClickHouse's code of an error, where it has one.
pub fn code(error: &Error) -> Option<u32> {
    let Error::BadResponse(text) = error else { return None };
    let (_, rest) = text.split_once("Code: ")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_follow_the_code() {
        let error = |text: &str| Error::BadResponse(text.to_owned());
        assert_eq!(fault(&error("Code: 241. DB::Exception: memory")), Fault::Transient);
        assert_eq!(fault(&error("Code: 27. DB::Exception: cannot parse")), Fault::Poison);
        assert_eq!(fault(&error("Code: 60. DB::Exception: unknown table")), Fault::Other);
        assert_eq!(fault(&error("502 Bad Gateway")), Fault::Transient);
        assert_eq!(fault(&Error::TimedOut), Fault::Transient);
    }
}
