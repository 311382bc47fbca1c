//! One test's own topics, consumer group and database on the shared stack.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::sync::Mutex;

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication, TopicResult};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::RDKafkaErrorCode;
use ringtrace_kit::config::{Config, load};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::process::{Exit, Running};
use super::records::{Given, INPUT_TOPICS, Read, committed, read, write};
use super::{PATIENCE, Stack, binary, free_port, stack, wait_for};

/// Topics that keep the timestamps of tests, of any age.
const OWN_TIMES: [(&str, &str); 5] = [
    ("message.timestamp.type", "CreateTime"),
    ("message.timestamp.before.max.ms", "9223372036854775807"),
    ("message.timestamp.after.max.ms", "9223372036854775807"),
    ("retention.ms", "-1"),
    ("max.message.bytes", "20971520"),
];

/// See the module's text.
pub struct Case {
    name: String,
    stack: Stack,
    environment: Vec<(String, String)>,
    runtime: Runtime,
    client: clickhouse::Client,
}

impl Case {
    /// Makes topics (inputs with their own timestamps) and tables. `name` is unique among the tests, lower case.
    pub fn new(name: &str, partitions: i32) -> Self {
        Case::on(stack().clone(), name, partitions)
    }

    /// On parts of its own, with topics that stamp records themselves, as `migrate` makes them.
    pub fn stamped(stack: Stack, name: &str, partitions: i32) -> Self {
        let case = Case::without_topics(stack, name, partitions);
        case.migrate();
        case
    }

    /// On parts of its own, with topics that keep the timestamps of tests.
    pub fn on(stack: Stack, name: &str, partitions: i32) -> Self {
        let case = Case::without_topics(stack, name, partitions);
        case.make_inputs(&INPUT_TOPICS, partitions);
        case.migrate();
        case
    }

    fn without_topics(stack: Stack, name: &str, partitions: i32) -> Self {
        static NAMES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
        let is_new = NAMES.lock().is_ok_and(|mut names| names.insert(name.to_owned()));
        assert!(is_new, "two cases are called {name}");
        let environment = environment(name, &stack, partitions);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = clickhouse::Client::default()
            .with_url(&stack.clickhouse_url)
            .with_database(database(name))
            .with_compression(clickhouse::Compression::None);
        Case { name: name.to_owned(), stack, environment, runtime, client }
    }

    fn migrate(&self) {
        let exit = self.run(&["migrate"]);
        assert!(exit.status.success(), "migrate: {}", exit.output);
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", &self.stack.brokers).create().expect("an admin client")
    }

    /// Makes topics with their own timestamps. A broker that is busy may make one and answer too late.
    pub fn make_inputs(&self, names: &[&str], partitions: i32) {
        let topics: Vec<String> = names.iter().map(|name| self.topic(name)).collect();
        let new = topics.iter().map(|topic| {
            let topic = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
            OWN_TIMES.iter().fold(topic, |topic, (key, value)| topic.set(key, value))
        });
        let new: Vec<NewTopic<'_>> = new.collect();
        let admin = self.admin();
        wait_for("topics to be created", || {
            let created = self.runtime.block_on(admin.create_topics(&new, &AdminOptions::new()));
            let is_there =
                |result: &TopicResult| matches!(result, Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)));
            created.expect("Kafka answers").iter().all(is_there)
        });
    }

    /// Deletes an input topic and makes it again, empty.
    pub fn make_again(&self, name: &str, partitions: i32) {
        let topic = self.topic(name);
        let deleted = self.runtime.block_on(self.admin().delete_topics(&[&topic], &AdminOptions::new()));
        for result in deleted.expect("Kafka answers") {
            result.expect("topic is deleted");
        }
        let is_there = || {
            let metadata = self.admin().inner().fetch_metadata(None, PATIENCE).expect("Kafka answers");
            metadata.topics().iter().any(|held| held.name() == topic)
        };
        wait_for("the topic to go", || !is_there());
        self.make_inputs(&[name], partitions);
        wait_for("the topic to come", is_there);
    }

    /// Gives topics more partitions.
    pub fn grow(&self, names: &[&str], partitions: usize) {
        let names: Vec<String> = names.iter().map(|name| self.topic(name)).collect();
        let more: Vec<NewPartitions<'_>> = names.iter().map(|name| NewPartitions::new(name, partitions)).collect();
        let grown = self.runtime.block_on(self.admin().create_partitions(&more, &AdminOptions::new()));
        for result in grown.expect("Kafka answers") {
            result.expect("topic grows");
        }
    }

    /// Whether the linkers have committed records, by their sources.
    pub fn has_committed(&self, sources: &[String]) -> bool {
        let committed = self.committed();
        sources.iter().all(|source| {
            let mut parts = source.rsplitn(3, '/');
            let offset: i64 = parts.next().and_then(|offset| offset.parse().ok()).expect("a source has an offset");
            let partition =
                parts.next().and_then(|partition| partition.parse().ok()).expect("a source has a partition");
            let topic = parts.next().expect("a source has a topic").to_owned();
            committed.get(&(topic, partition)).is_some_and(|next| *next > offset)
        })
    }

    /// This case's name of a topic.
    pub fn topic(&self, name: &str) -> String {
        format!("{}.{name}", self.name)
    }

    /// Bootstrap address of Kafka.
    pub fn brokers(&self) -> &str {
        &self.stack.brokers
    }

    /// Judges by other rules, for good.
    pub fn set_rules(&mut self, rules: &[(&str, &str)]) {
        for (variable, value) in rules {
            self.set(variable, value);
        }
        let exit = self.run(&["migrate", "--accept-rules"]);
        assert!(exit.status.success(), "migrate: {}", exit.output);
    }

    /// Overrides a setting, by its environment variable.
    pub fn set(&mut self, variable: &str, value: &str) {
        self.environment.push((variable.to_owned(), value.to_owned()));
    }

    /// The same topics and tables for another instance, with health and metrics on a port of its own.
    fn sibling(&self, instance: &str) -> Vec<(String, String)> {
        let mut environment = self.environment.clone();
        environment.push(("RINGTRACE_LINK_INSTANCE".to_owned(), instance.to_owned()));
        environment.push(("RINGTRACE_HTTP_LISTEN".to_owned(), format!("127.0.0.1:{}", free_port())));
        environment
    }

    /// Starts another linker beside the first.
    pub fn start_sibling(&self, instance: &str) -> Running {
        self.start_with(instance, instance, &[])
    }

    /// Starts a linker with settings of its own; what it prints goes to a log of its own.
    pub fn start_with(&self, instance: &str, log: &str, settings: &[(String, String)]) -> Running {
        self.start_verb("link", instance, log, settings)
    }

    /// Starts a service, by its verb, as an instance of its own with settings of its own.
    pub fn start_as(&self, verb: &str, instance: &str, settings: &[(String, String)]) -> Running {
        self.start_verb(verb, instance, instance, settings)
    }

    fn start_verb(&self, verb: &str, instance: &str, log: &str, settings: &[(String, String)]) -> Running {
        let binary = binary();
        let command: [&OsStr; 2] = [binary.as_os_str(), OsStr::new(verb)];
        let environment = [self.sibling(instance).as_slice(), settings].concat();
        Running::start(&format!("{}-{log}", self.name), &command, &environment)
    }

    /// Consumer group of the linkers.
    pub fn group(&self) -> String {
        format!("{}-linker", self.name)
    }

    /// Starts `ringtrace` with arguments; health and metrics are on a port of its own.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let binary = binary();
        let mut command: Vec<&OsStr> = vec![binary.as_os_str()];
        command.extend(arguments.iter().map(OsStr::new));
        Running::start(&self.name, &command, &self.environment)
    }

    /// Runs `ringtrace` to its end.
    pub fn run(&self, arguments: &[&str]) -> Exit {
        self.start(arguments).wait()
    }

    /// Links everything that is there.
    pub fn catch_up(&self) {
        let exit = self.run(&["link", "--until-caught-up"]);
        assert!(exit.status.success(), "link ended with {}: {}", exit.status, exit.output);
    }

    /// Address of health and metrics.
    pub fn http(&self) -> String {
        let listen = self.environment.iter().rev().find(|(name, _)| name == "RINGTRACE_HTTP_LISTEN");
        listen.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// Writes records to this case's topics (`topic` is the contract's name); gives the source of each.
    pub fn write(&self, records: &[Given]) -> Vec<String> {
        let own = |record: &Given| Given { topic: self.topic(&record.topic), ..record.clone() };
        write(&self.stack.brokers, &records.iter().map(own).collect::<Vec<_>>())
    }

    /// Reads all committed records of a topic.
    pub fn read(&self, topic: &str) -> Vec<Read> {
        read(&self.stack.brokers, &self.topic(topic))
    }

    /// The committed offsets of the linkers, by topic and partition.
    pub fn committed(&self) -> BTreeMap<(String, i32), i64> {
        committed(
            &self.stack.brokers,
            &self.group(),
            &[&INPUT_TOPICS[..], &["ringtrace.internal"]]
                .concat()
                .iter()
                .map(|topic| self.topic(topic))
                .collect::<Vec<_>>(),
        )
    }

    /// The rows of a query, one JSON object each.
    pub fn rows(&self, query: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        self.each_row(query, |row| rows.push(row));
        rows
    }

    /// The same, one after the other.
    pub fn each_row(&self, query: &str, take: impl FnMut(Value)) {
        let query = self
            .client
            .query_raw(query)
            .with_setting("output_format_json_quote_64bit_integers", "0")
            .fetch_bytes("JSONEachRow")
            .expect("a query");
        let mut query = query;
        let bytes = self.runtime.block_on(query.collect()).expect("ClickHouse answers");
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).expect("a row is JSON")).for_each(take);
    }

    /// Runs a statement that gives nothing.
    pub fn execute(&self, statement: &str) {
        self.runtime.block_on(self.client.query_raw(statement).execute()).expect("ClickHouse takes the statement");
    }

    /// This case's settings.
    pub fn config(&self) -> Config {
        load(None, self.environment.iter().cloned(), &[]).expect("a configuration")
    }

    /// One number.
    pub fn number(&self, query: &str) -> i64 {
        let rows = self.rows(query);
        let value = rows.first().and_then(|row| row.as_object()).and_then(|row| row.values().next());
        value.and_then(Value::as_i64).expect("one number")
    }
}

fn database(name: &str) -> String {
    format!("test_{}", name.replace('-', "_"))
}

fn environment(name: &str, stack: &Stack, partitions: i32) -> Vec<(String, String)> {
    let topic = |topic: &str| format!("{name}.{topic}");
    [
        ("KAFKA_BROKERS", stack.brokers.clone()),
        ("KAFKA_GROUP", format!("{name}-linker")),
        ("KAFKA_PUSH_TOPIC", topic("push-events")),
        ("KAFKA_CALL_TOPIC", topic("call-events")),
        ("KAFKA_DEVICE_TOPIC", topic("device-events")),
        ("KAFKA_INTERNAL_TOPIC", topic("ringtrace.internal")),
        ("KAFKA_CALLS_TOPIC", topic("ringtrace.calls")),
        ("KAFKA_VERDICTS_TOPIC", topic("ringtrace.verdicts")),
        ("KAFKA_DEAD_LETTERS_TOPIC", topic("ringtrace.dead-letters")),
        ("KAFKA_PARTITIONS", partitions.to_string()),
        ("CLICKHOUSE_URL", stack.clickhouse_url.clone()),
        ("CLICKHOUSE_DATABASE", database(name)),
        ("PRIVACY_KEY", "test".to_owned()),
        // Events of any age stay.
        ("RETENTION_EVENTS_DAYS", "3650".to_owned()),
        ("RETENTION_CALLS_DAYS", "3650".to_owned()),
        ("LINK_INSTANCE", format!("{name}-1")),
        ("HTTP_LISTEN", format!("127.0.0.1:{}", free_port())),
    ]
    .map(|(key, value)| (format!("RINGTRACE_{key}"), value))
    .into()
}
