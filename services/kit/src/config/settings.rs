//! Every setting: its key, default, what is accepted, and what it is for. `ringtrace.example.toml` is printed from here.

/// What a setting accepts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Accepts {
    /// Any text.
    Text,
    /// Any text that is never shown.
    Secret,
    /// Text that is not empty.
    Name,
    /// An address that starts with `http://` or `https://`.
    Url,
    /// One of some words.
    OneOf(&'static [&'static str]),
    /// A whole number between two others, both included.
    Int(i64, i64),
    /// A list of texts; in the environment separated by commas.
    List,
    /// A list of tables, or the path of a TOML file with such a list under the setting's own name.
    Tables,
}

/// The value that holds when nobody says otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fallback {
    Text(&'static str),
    Int(i64),
    List(&'static [&'static str]),
}

/// A setting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) section: &'static str,
    pub(super) key: &'static str,
    pub(super) default: Fallback,
    pub(super) accepts: Accepts,
    pub(super) about: &'static str,
}

const fn text(
    section: &'static str,
    key: &'static str,
    value: &'static str,
    accepts: Accepts,
    about: &'static str,
) -> Setting {
    Setting { section, key, default: Fallback::Text(value), accepts, about }
}

const fn int(section: &'static str, key: &'static str, value: i64, range: (i64, i64), about: &'static str) -> Setting {
    Setting { section, key, default: Fallback::Int(value), accepts: Accepts::Int(range.0, range.1), about }
}

const fn list(
    section: &'static str,
    key: &'static str,
    value: &'static [&'static str],
    about: &'static str,
) -> Setting {
    Setting { section, key, default: Fallback::List(value), accepts: Accepts::List, about }
}

/// Longest duration of a rule: a day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// Longest retention, in days: ClickHouse's `Date` ends in 2149.
const MOST_DAYS: i64 = 3_650;

/// Fields whose values are personal data (contract section 2).
const PERSONAL: &[&str] = &["token", "*_token", "handle", "phone*", "caller*", "payload"];

/// All settings, by section.
pub(super) const SETTINGS: &[Setting] = &[
    text("kafka", "brokers", "localhost:9092", Accepts::Name, "Bootstrap brokers, host:port separated by commas."),
    text("kafka", "group", "ringtrace-linker", Accepts::Name, "Consumer group of the linker."),
    list("kafka", "properties", &[], "More librdkafka properties as \"name=value\": TLS, SASL, buffers."),
    text("kafka", "push_topic", "push-events", Accepts::Name, "Topic of the push gateway and of device receipts."),
    text("kafka", "call_topic", "call-events", Accepts::Name, "Topic of the signalling server and of devices."),
    text("kafka", "device_topic", "device-events", Accepts::Name, "Topic of events about devices."),
    text("kafka", "internal_topic", "ringtrace.internal", Accepts::Name, "Topic of reroutes and of requests to slots."),
    text("kafka", "calls_topic", "ringtrace.calls", Accepts::Name, "Topic of the state of open calls (compacted)."),
    text("kafka", "verdicts_topic", "ringtrace.verdicts", Accepts::Name, "Topic of changes of verdicts."),
    text(
        "kafka",
        "dead_letters_topic",
        "ringtrace.dead-letters",
        Accepts::Name,
        "Topic of records that are no valid events.",
    ),
    int("kafka", "partitions", 6, (1, 10_000), "Partitions of topics that `migrate` creates."),
    int(
        "kafka",
        "replication_factor",
        -1,
        (-1, 100),
        "Replicas of topics that `migrate` creates; -1 for the brokers' default.",
    ),
    text("clickhouse", "url", "http://localhost:8123", Accepts::Url, "ClickHouse's HTTP interface."),
    text("clickhouse", "database", "ringtrace", Accepts::Name, "Database of all tables."),
    text("clickhouse", "user", "default", Accepts::Name, "User."),
    text("clickhouse", "password", "", Accepts::Secret, "Password."),
    text(
        "clickhouse",
        "cluster",
        "",
        Accepts::Text,
        "Cluster to create replicated, distributed tables on; empty for one server.",
    ),
    int("rules", "report_deadline_ms", 7_000, (1, DAY_MS), "How soon after `push.received` a report is in time."),
    int(
        "rules",
        "telemetry_grace_ms",
        23_000,
        (0, DAY_MS),
        "How long after the deadline telemetry may arrive before silence counts.",
    ),
    int("rules", "receipt_timeout_ms", 60_000, (1, DAY_MS), "How long after a push a receipt may arrive."),
    int("rules", "ring_timeout_ms", 120_000, (1, DAY_MS), "How long after its last event a leg may still be going on."),
    int(
        "retention",
        "events_days",
        40,
        (1, MOST_DAYS),
        "Days that `events` and `device_events` are kept, by log time.",
    ),
    int(
        "retention",
        "calls_days",
        30,
        (1, MOST_DAYS),
        "Days that `legs` and `calls` are kept, by the day on which a call was first seen.",
    ),
    int("retention", "dead_letters_days", 7, (1, MOST_DAYS), "Days that dead letters are kept."),
    list("privacy", "fields", PERSONAL, "Fields stored only as keyed SHA-256; `*` stands for any text at one end."),
    text(
        "privacy",
        "key",
        "",
        Accepts::Secret,
        "Key of those hashes. Without one they can be guessed: set it in production.",
    ),
    int("link", "flush_interval_ms", 1_000, (50, 60_000), "How often the linker writes and commits."),
    int("link", "flush_bytes", 64 << 20, (1 << 20, 1 << 30), "Input that makes it write earlier, in bytes."),
    int(
        "link",
        "calls_in_memory",
        500_000,
        (1, 100_000_000),
        "Calls that a slot keeps in memory before settled ones leave.",
    ),
    int("link", "settled_ms", 300_000, (0, DAY_MS), "How long a settled call stays in memory, in log time."),
    text("link", "instance", "", Accepts::Text, "Name of this instance, different for each; empty for a random one."),
    text("serve", "listen", "127.0.0.1:8080", Accepts::Name, "Address of the API and the web application."),
    Setting {
        section: "serve",
        key: "tokens",
        default: Fallback::List(&[]),
        accepts: Accepts::Tables,
        about: "Who may ask: { name, sha256, roles, tenants } each, as `ringtrace serve --make-token NAME` prints it. None: \
                everyone on this machine, and no other address than a loopback one is listened on.",
    },
    text(
        "serve",
        "tls_certificate",
        "",
        Accepts::Text,
        "PEM file of the certificate and its chain; empty for plain HTTP.",
    ),
    text("serve", "tls_key", "", Accepts::Text, "PEM file of the certificate's key."),
    int("serve", "query_seconds", 30, (1, 3_600), "How long a question may take in ClickHouse, in seconds."),
    int("serve", "query_rows", 4_000_000_000, (1, i64::MAX), "How many rows a question may read in ClickHouse."),
    int(
        "serve",
        "query_memory_bytes",
        4 << 30,
        (16 << 20, 1 << 40),
        "How much memory a question may use in ClickHouse, in bytes.",
    ),
    int("serve", "queries_at_once", 16, (1, 1_000), "How many questions are asked of ClickHouse at once; others wait."),
    int("serve", "rows_per_export", 1_000_000, (1, 1_000_000_000), "How many rows an export has at most."),
    int("serve", "export_seconds", 900, (1, 86_400), "How long an export may take, in seconds."),
    int(
        "serve",
        "requests_per_minute",
        1_200,
        (1, 1_000_000),
        "How many requests a token, or an address without one, has.",
    ),
    int("serve", "live_clients", 100, (1, 10_000), "How many follow /live at once."),
    text(
        "alert",
        "rules",
        "",
        Accepts::Text,
        "Rules file of the alerter, over the shipped rules; empty for those alone.",
    ),
    text("alert", "group", "ringtrace-alerter", Accepts::Name, "Consumer group by which one alerter of several leads."),
    int("alert", "interval_ms", 5_000, (500, 300_000), "How often the alerter evaluates its rules."),
    text("http", "listen", "127.0.0.1:9464", Accepts::Name, "Address of /livez, /readyz and /metrics."),
    text("log", "level", "info", Accepts::Name, "Log filter: error, warn, info, debug, trace, or per module."),
    text("log", "format", "text", Accepts::OneOf(&["text", "json"]), "Log format."),
];
