-- The same join by ClickHouse alone: its Kafka engine, every event kept, and an aggregate of each leg.
--
-- {database}, {brokers}, {group} and {topics} (comma-separated) are for the harness to fill in. It runs the statements in order, and
-- the last one again and again, until `SELECT count() FROM {database}.events` is the number of events. On a server, a materialized
-- view on `queue` would take the place of that INSERT. In the embedded engine such a view never gets a thread: its pool for message
-- brokers has none.

CREATE DATABASE IF NOT EXISTS {database};

-- Few and large blocks: each poll of the last statement makes one. Two consumers, as there are two cores.
CREATE TABLE {database}.queue (
    raw String
)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '{brokers}',
    kafka_topic_list = '{topics}',
    kafka_group_name = '{group}',
    kafka_format = 'JSONAsString',
    kafka_num_consumers = 2,
    kafka_max_block_size = 131072,
    kafka_poll_max_batch_size = 131072,
    kafka_commit_on_select = 1;

CREATE TABLE {database}.events (
    tenant_id   LowCardinality(String),
    call_uuid   UUID,
    device_id   String CODEC(ZSTD(1)),
    event_id    String CODEC(ZSTD(1)),
    kind        LowCardinality(String),
    channel     LowCardinality(String),
    purpose     LowCardinality(String),
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    log_at      DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    raw         String CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(log_at)
ORDER BY (tenant_id, call_uuid, event_id);

-- First times of a leg, null where there are none; a call's own events have an empty device.
CREATE TABLE {database}.leg_parts (
    tenant_id   LowCardinality(String),
    call_uuid   UUID,
    device_id   String CODEC(ZSTD(1)),
    voip        SimpleAggregateFunction(max, UInt8),
    started_at  SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    sent_at     SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    accepted_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    received_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    reported_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    answered_at SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    ended_at    SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC')))
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant_id, call_uuid, device_id);

CREATE MATERIALIZED VIEW {database}.leg_parts_of_events TO {database}.leg_parts AS
SELECT
    tenant_id, call_uuid, device_id,
    max(channel = 'apns_voip') AS voip,
    min(occurred_at) AS started_at,
    minIf(toNullable(occurred_at), kind = 'push.sent') AS sent_at,
    minIf(toNullable(occurred_at), kind = 'push.accepted') AS accepted_at,
    minIf(toNullable(occurred_at), kind = 'push.received') AS received_at,
    minIf(toNullable(occurred_at), kind IN ('call.reported', 'call.report_failed')) AS reported_at,
    minIf(toNullable(occurred_at), kind = 'call.answered') AS answered_at,
    minIf(toNullable(occurred_at), kind = 'call.ended') AS ended_at
FROM {database}.events
WHERE purpose IN ('', 'incoming_call')
GROUP BY tenant_id, call_uuid, device_id;

-- Verdicts are made when somebody asks; nobody is told of one.
CREATE VIEW {database}.legs AS
WITH now64(3, 'UTC') AS asked_at
SELECT
    tenant_id, call_uuid, device_id,
    min(l.started_at) AS started_at, min(l.sent_at) AS sent_at, min(l.accepted_at) AS accepted_at, min(l.received_at) AS received_at,
    min(l.reported_at) AS reported_at, min(l.answered_at) AS answered_at, min(l.ended_at) AS ended_at,
    multiIf(
        reported_at > received_at + INTERVAL 7 SECOND, 'reported_late',
        coalesce(reported_at, answered_at, ended_at) IS NOT NULL, 'reported',
        received_at + INTERVAL 30 SECOND <= asked_at, 'unreported',
        received_at IS NULL AND greatest(sent_at, coalesce(accepted_at, sent_at)) + INTERVAL 60 SECOND <= asked_at, 'no_receipt',
        'pending') AS verdict
FROM {database}.leg_parts AS l
WHERE device_id != ''
GROUP BY tenant_id, call_uuid, device_id
HAVING max(l.voip);

-- One parse of each event. Offsets are committed once the events are read, not once they are stored: a crash loses a block.
INSERT INTO {database}.events
WITH JSONExtract(raw, 'Tuple(
    tenant_id Nullable(String), call_uuid UUID, device_id String, event_id String, kind String, channel String, purpose String,
    occurred_at Int64, clock_offset_ms Int64)') AS event
SELECT
    ifNull(event.tenant_id, 'default'), event.call_uuid, event.device_id, event.event_id, event.kind, event.channel, event.purpose,
    fromUnixTimestamp64Milli(event.occurred_at + event.clock_offset_ms, 'UTC'),
    assumeNotNull(_timestamp_ms), raw
FROM {database}.queue
SETTINGS stream_like_engine_allow_direct_select = 1, max_insert_block_size = 131072, min_insert_block_size_rows = 131072;
