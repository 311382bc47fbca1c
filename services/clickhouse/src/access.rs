//! What statements may reach outside the data directory: nothing, unless it is allowed.
//!
//! The engine of the library is a local one, whose user may read every file, run commands and connect to anywhere. Its
//! rights are therefore written down in a configuration of its own, which lies in the data directory and is made new at
//! every start: no sources, only table and database engines that keep their data here, no dictionaries (their sources
//! run commands), no backups, and no settings that name a file or hold SQL.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::space::ROOM;

/// What statements may reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Only what is in the data directory.
    #[default]
    Inside,
    /// Also files, commands and the network, with the rights of the process.
    Outside,
}

const CONFIG: &str = "ringtrace-config.xml";
const USERS: &str = "ringtrace-users.xml";

const RIGHTS: &str = "SHOW, SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, CREATE TEMPORARY TABLE, \
    CREATE FUNCTION, DROP, UNDROP TABLE, TRUNCATE, OPTIMIZE, KILL QUERY, KILL TRANSACTION, \
    MOVE PARTITION BETWEEN SHARDS, SYSTEM MERGES, SYSTEM FLUSH, SYSTEM DROP CACHE, dictGet, INTROSPECTION, CLUSTER, \
    CHECK";

/// Engines of tables and databases that keep their data in the data directory or in memory.
const ENGINES: [&str; 30] = [
    "MergeTree",
    "ReplacingMergeTree",
    "SummingMergeTree",
    "AggregatingMergeTree",
    "CollapsingMergeTree",
    "VersionedCollapsingMergeTree",
    "CoalescingMergeTree",
    "GraphiteMergeTree",
    "Memory",
    "Log",
    "TinyLog",
    "StripeLog",
    "Null",
    "View",
    "MaterializedView",
    "WindowView",
    "Merge",
    "Buffer",
    "Set",
    "Join",
    "GenerateRandom",
    "FuzzJSON",
    "FuzzQuery",
    "Loop",
    "Alias",
    "Dictionary",
    "TimeSeries",
    "Atomic",
    "Ordinary",
    "Lazy",
];

/// Settings that name a file or an address, or hold SQL that nobody here has looked at.
const FIXED: [&str; 9] = [
    "additional_result_filter",
    "additional_table_filters",
    "allow_experimental_eval_table_function",
    "dialect",
    "format_avro_schema_registry_url",
    "format_schema",
    "format_template_resultset",
    "format_template_row",
    "parallel_replicas_custom_key",
];

/// Writes the configuration that keeps statements inside, and returns its path.
pub(crate) fn write(data: &Path) -> std::io::Result<PathBuf> {
    let (config, users) = (data.join(CONFIG), data.join(USERS));
    std::fs::write(&users, users_xml())?;
    std::fs::write(&config, config_xml(&users))?;
    Ok(config)
}

fn config_xml(users: &Path) -> String {
    let users = escaped(&users.to_string_lossy());
    // A list of allowed hosts that is there refuses all others. Inserts and merges leave the reserve alone.
    format!(
        "<clickhouse><users_config>{users}</users_config>\
         <access_control_improvements><table_engines_require_grant>true</table_engines_require_grant>\
         </access_control_improvements>\
         <remote_url_allow_hosts><host>nowhere.invalid</host></remote_url_allow_hosts>\
         <storage_configuration><disks><default><keep_free_space_bytes>{ROOM}</keep_free_space_bytes></default></disks>\
         </storage_configuration></clickhouse>\n"
    )
}

fn users_xml() -> String {
    let fixed = FIXED.iter().fold(String::new(), |mut all, name| {
        let _memory = write!(all, "<{name}><const/></{name}>");
        all
    });
    let engines = ENGINES.iter().fold(String::new(), |mut all, engine| {
        let _memory = write!(all, "<query>GRANT TABLE ENGINE ON {engine}</query>");
        all
    });
    format!(
        "<clickhouse><profiles><default><constraints>{fixed}</constraints></default></profiles>\
         <quotas><default></default></quotas>\
         <users><default><password></password><networks><ip>::/0</ip></networks>\
         <profile>default</profile><quota>default</quota>\
         <grants><query>GRANT {RIGHTS} ON *.*</query>{engines}</grants></default></users></clickhouse>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
