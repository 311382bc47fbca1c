-- `legs` and `calls` by time: the ten minutes in which a call was first seen stand in the key, in place of a day as partition.
--
-- The linker freezes `first_seen` for a call, so that it may stand in a sorting key: a range of time is a range of the key, a
-- slice of ten minutes can be rolled up by itself, and a call is found by tenant, slice and UUID. `events` says which slice a
-- call has. Partitions stay days, now of `first_seen`: FINAL works one by one, and parts of a day that has been quiet for six
-- hours are merged into one, which FINAL reads as it is.
-- What was stored before is of its day's midnight; `pushes_accepted` is then 1 or 0, until `ringtrace relink` judges it again.
--
-- Linkers and readers stop while this runs. It may be broken off and begun again at any statement: "only while" one of the
-- old columns is there, rows are copied (twice is once: they have versions) and names exchanged.

ALTER TABLE {{database}}.events_{{local}} {{on_cluster}}
    ADD COLUMN IF NOT EXISTS first_seen DateTime('UTC') DEFAULT toDateTime(call_day, 'UTC') AFTER source;

-- cluster only
ALTER TABLE {{database}}.events_rows {{on_cluster}}
    ADD COLUMN IF NOT EXISTS first_seen DateTime('UTC') AFTER source;

CREATE TABLE IF NOT EXISTS {{database}}.legs_new_{{local}} {{on_cluster}} (
    tenant_id                LowCardinality(String),
    first_seen               DateTime('UTC') CODEC(Delta, ZSTD(1)),
    call_uuid                UUID,
    device_id                String CODEC(ZSTD(1)),
    app_id                   LowCardinality(String),
    role                     LowCardinality(String),
    platform                 LowCardinality(Nullable(String)),
    os_version               LowCardinality(Nullable(String)),
    os_major                 UInt16,
    app_version              LowCardinality(Nullable(String)),
    sdk_version              LowCardinality(Nullable(String)),
    device_model             LowCardinality(Nullable(String)),
    country                  LowCardinality(Nullable(String)),
    carrier                  LowCardinality(Nullable(String)),
    network                  LowCardinality(Nullable(String)),
    build_channel            LowCardinality(Nullable(String)),
    channel                  LowCardinality(Nullable(String)),
    environment              LowCardinality(Nullable(String)),
    call_ui                  LowCardinality(Nullable(String)),
    verdict                  LowCardinality(String),
    evidence                 LowCardinality(Nullable(String)),
    outcome                  LowCardinality(String),
    end_reason               LowCardinality(Nullable(String)),
    diagnoses                Array(LowCardinality(String)),
    push_attempts            UInt32,
    -- Distinct push_ids of push.accepted, those without one counting once. Not in the view: only the acceptance rate needs it.
    pushes_accepted          UInt32,
    push_reject_reason       LowCardinality(Nullable(String)),
    app_state                LowCardinality(Nullable(String)),
    sent_at                  Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    accepted_at              Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    received_at              Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    reported_at              Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    answered_at              Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    audio_at                 Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    declined_at              Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    ended_at                 Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    sent_to_accepted_ms      Nullable(Int64) CODEC(ZSTD(1)),
    accepted_to_received_ms  Nullable(Int64) CODEC(ZSTD(1)),
    sent_to_received_ms      Nullable(Int64) CODEC(ZSTD(1)),
    received_to_reported_ms  Nullable(Int64) CODEC(ZSTD(1)),
    reported_to_answered_ms  Nullable(Int64) CODEC(ZSTD(1)),
    answered_to_audio_ms     Nullable(Int64) CODEC(ZSTD(1)),
    initiated_to_reported_ms Nullable(Int64) CODEC(ZSTD(1)),
    talk_ms                  Nullable(Int64) CODEC(ZSTD(1)),
    started_at               DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    updated_at               DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    version                  UInt64 CODEC(Delta, ZSTD(1)),
    deleted                  UInt8,
    INDEX started_at_range started_at TYPE minmax GRANULARITY 1,
    INDEX call_uuid_bloom call_uuid TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX device_id_bloom device_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {{replicated}}ReplacingMergeTree(version, deleted)
PARTITION BY toDate(first_seen)
ORDER BY (tenant_id, first_seen, call_uuid, device_id)
TTL first_seen + toIntervalDay({{calls_days}})
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600,
    min_age_to_force_merge_on_partition_only = 1;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.legs_new_rows {{on_cluster}} AS {{database}}.legs_new_local
ENGINE = Distributed({{cluster}}, {{database}}, legs_new_local, sipHash64(call_uuid));

-- only while legs_{{local}} has call_day
INSERT INTO {{database}}.legs_new_rows (
    tenant_id, first_seen, call_uuid, device_id, app_id, role, platform, os_version, os_major, app_version, sdk_version,
    device_model, country, carrier, network, build_channel, channel, environment, call_ui, verdict, evidence, outcome,
    end_reason, diagnoses, push_attempts, pushes_accepted, push_reject_reason, app_state, sent_at, accepted_at, received_at,
    reported_at, answered_at, audio_at, declined_at, ended_at, sent_to_accepted_ms, accepted_to_received_ms,
    sent_to_received_ms, received_to_reported_ms, reported_to_answered_ms, answered_to_audio_ms, initiated_to_reported_ms,
    talk_ms, started_at, updated_at, version, deleted)
SELECT
    tenant_id, toDateTime(call_day, 'UTC'), call_uuid, device_id, app_id, role, platform, os_version, os_major, app_version,
    sdk_version, device_model, country, carrier, network, build_channel, channel, environment, call_ui, verdict, evidence,
    outcome, end_reason, diagnoses, push_attempts, isNotNull(accepted_at), push_reject_reason, app_state, sent_at, accepted_at,
    received_at, reported_at, answered_at, audio_at, declined_at, ended_at, sent_to_accepted_ms, accepted_to_received_ms,
    sent_to_received_ms, received_to_reported_ms, reported_to_answered_ms, answered_to_audio_ms, initiated_to_reported_ms,
    talk_ms, started_at, updated_at, version, deleted
FROM {{database}}.legs_rows
SETTINGS distributed_foreground_insert = 1, max_partitions_per_insert_block = 0;

-- only while legs_{{local}} has call_day
EXCHANGE TABLES {{database}}.legs_{{local}} AND {{database}}.legs_new_{{local}} {{on_cluster}};

-- cluster only
DROP TABLE IF EXISTS {{database}}.legs_new_rows {{on_cluster}} SYNC;

-- cluster only
DROP TABLE IF EXISTS {{database}}.legs_rows {{on_cluster}} SYNC;

DROP TABLE IF EXISTS {{database}}.legs_new_{{local}} {{on_cluster}} SYNC
SETTINGS max_table_size_to_drop = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.legs_rows {{on_cluster}} AS {{database}}.legs_local
ENGINE = Distributed({{cluster}}, {{database}}, legs_local, sipHash64(call_uuid));

CREATE TABLE IF NOT EXISTS {{database}}.calls_new_{{local}} {{on_cluster}} (
    tenant_id      LowCardinality(String),
    first_seen     DateTime('UTC') CODEC(Delta, ZSTD(1)),
    call_uuid      UUID,
    app_id         LowCardinality(String),
    started_at     DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    initiated_at   Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    answered_at    Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    connected_at   Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    cancelled_at   Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    ended_at       Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    outcome        LowCardinality(String),
    end_reason     LowCardinality(Nullable(String)),
    legs           UInt32,
    legs_violating UInt32,
    diagnoses      Array(LowCardinality(String)),
    updated_at     DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    version        UInt64 CODEC(Delta, ZSTD(1)),
    deleted        UInt8,
    INDEX started_at_range started_at TYPE minmax GRANULARITY 1,
    INDEX call_uuid_bloom call_uuid TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {{replicated}}ReplacingMergeTree(version, deleted)
PARTITION BY toDate(first_seen)
ORDER BY (tenant_id, first_seen, call_uuid)
TTL first_seen + toIntervalDay({{calls_days}})
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 0, min_age_to_force_merge_seconds = 21600,
    min_age_to_force_merge_on_partition_only = 1;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.calls_new_rows {{on_cluster}} AS {{database}}.calls_new_local
ENGINE = Distributed({{cluster}}, {{database}}, calls_new_local, sipHash64(call_uuid));

-- only while calls_{{local}} has call_day
INSERT INTO {{database}}.calls_new_rows (
    tenant_id, first_seen, call_uuid, app_id, started_at, initiated_at, answered_at, connected_at, cancelled_at, ended_at,
    outcome, end_reason, legs, legs_violating, diagnoses, updated_at, version, deleted)
SELECT
    tenant_id, toDateTime(call_day, 'UTC'), call_uuid, app_id, started_at, initiated_at, answered_at, connected_at,
    cancelled_at, ended_at, outcome, end_reason, legs, legs_violating, diagnoses, updated_at, version, deleted
FROM {{database}}.calls_rows
SETTINGS distributed_foreground_insert = 1, max_partitions_per_insert_block = 0;

-- only while calls_{{local}} has call_day
EXCHANGE TABLES {{database}}.calls_{{local}} AND {{database}}.calls_new_{{local}} {{on_cluster}};

-- cluster only
DROP TABLE IF EXISTS {{database}}.calls_new_rows {{on_cluster}} SYNC;

-- cluster only
DROP TABLE IF EXISTS {{database}}.calls_rows {{on_cluster}} SYNC;

DROP TABLE IF EXISTS {{database}}.calls_new_{{local}} {{on_cluster}} SYNC
SETTINGS max_table_size_to_drop = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.calls_rows {{on_cluster}} AS {{database}}.calls_local
ENGINE = Distributed({{cluster}}, {{database}}, calls_local, sipHash64(call_uuid));
