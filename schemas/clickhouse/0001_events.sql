-- The history: every valid event, once.
--
-- Keys. Events are looked up by call, so the call leads the sorting key; `event_id` and `contents` end it, since an event
-- is one id with one contents. Of duplicates the one that was logged first stays: `version` counts down with `log_at`.
-- Partitions are days of log time, never of `occurred_at`: a device's clock can't open partitions. Duplicates may lie in
-- different days, so the view resolves them across partitions.
-- Codecs. Times of neighbours in the sorting key are close together: Delta before ZSTD. Dimensions repeat: LowCardinality.
-- A bloom filter keeps the look-up of a call that was never seen from reading anything.

CREATE TABLE IF NOT EXISTS {{database}}.events_{{local}} {{on_cluster}} (
    tenant_id       LowCardinality(String),
    call_uuid       UUID,
    event_id        String CODEC(ZSTD(1)),
    contents        UInt64,
    kind            LowCardinality(String),
    occurred_at     DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    app_id          LowCardinality(String),
    device_id       Nullable(String) CODEC(ZSTD(1)),
    platform        LowCardinality(Nullable(String)),
    os_version      LowCardinality(Nullable(String)),
    app_version     LowCardinality(Nullable(String)),
    sdk_version     LowCardinality(Nullable(String)),
    device_model    LowCardinality(Nullable(String)),
    country         LowCardinality(Nullable(String)),
    carrier         LowCardinality(Nullable(String)),
    network         LowCardinality(Nullable(String)),
    build_channel   LowCardinality(Nullable(String)),
    clock_offset_ms Int64 CODEC(T64, ZSTD(1)),
    mono_ms         Nullable(Int64) CODEC(ZSTD(1)),
    boot_id         Nullable(String) CODEC(ZSTD(1)),
    attributes      String CODEC(ZSTD(1)),
    log_at          DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    source          String CODEC(ZSTD(1)),
    -- The day on which the call was first seen: a call that comes back after it left memory keeps it.
    call_day        Date,
    version         UInt64 MATERIALIZED 9223372036854775807 - toUnixTimestamp64Milli(log_at),
    INDEX call_uuid_bloom call_uuid TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {{replicated}}ReplacingMergeTree(version)
PARTITION BY toDate(log_at)
ORDER BY (tenant_id, call_uuid, event_id, contents)
TTL toDateTime(log_at) + toIntervalDay({{events_days}})
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.events_rows {{on_cluster}} AS {{database}}.events_local
ENGINE = Distributed({{cluster}}, {{database}}, events_local, sipHash64(call_uuid));

CREATE OR REPLACE VIEW {{database}}.events {{on_cluster}} AS
SELECT
    tenant_id, call_uuid, event_id, kind, occurred_at, app_id, device_id, platform, os_version, app_version, sdk_version,
    device_model, country, carrier, network, build_channel, clock_offset_ms, mono_ms, boot_id, attributes, log_at, source
FROM {{database}}.events_rows FINAL;

CREATE TABLE IF NOT EXISTS {{database}}.device_events_{{local}} {{on_cluster}} (
    tenant_id       LowCardinality(String),
    -- Empty where there is none, so that it can lead the sorting key; the view shows null.
    device          String CODEC(ZSTD(1)),
    event_id        String CODEC(ZSTD(1)),
    contents        UInt64,
    call_uuid       Nullable(UUID),
    kind            LowCardinality(String),
    occurred_at     DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    app_id          LowCardinality(String),
    platform        LowCardinality(Nullable(String)),
    os_version      LowCardinality(Nullable(String)),
    app_version     LowCardinality(Nullable(String)),
    sdk_version     LowCardinality(Nullable(String)),
    device_model    LowCardinality(Nullable(String)),
    country         LowCardinality(Nullable(String)),
    carrier         LowCardinality(Nullable(String)),
    network         LowCardinality(Nullable(String)),
    build_channel   LowCardinality(Nullable(String)),
    clock_offset_ms Int64 CODEC(T64, ZSTD(1)),
    mono_ms         Nullable(Int64) CODEC(ZSTD(1)),
    boot_id         Nullable(String) CODEC(ZSTD(1)),
    attributes      String CODEC(ZSTD(1)),
    log_at          DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    source          String CODEC(ZSTD(1)),
    version         UInt64 MATERIALIZED 9223372036854775807 - toUnixTimestamp64Milli(log_at)
)
ENGINE = {{replicated}}ReplacingMergeTree(version)
PARTITION BY toDate(log_at)
ORDER BY (tenant_id, device, event_id, contents)
TTL toDateTime(log_at) + toIntervalDay({{events_days}})
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.device_events_rows {{on_cluster}} AS {{database}}.device_events_local
ENGINE = Distributed({{cluster}}, {{database}}, device_events_local, sipHash64(device));

CREATE OR REPLACE VIEW {{database}}.device_events {{on_cluster}} AS
SELECT
    tenant_id, call_uuid, event_id, kind, occurred_at, app_id, nullIf(device, '') AS device_id, platform, os_version,
    app_version, sdk_version, device_model, country, carrier, network, build_channel, clock_offset_ms, mono_ms, boot_id,
    attributes, log_at, source
FROM {{database}}.device_events_rows FINAL;
