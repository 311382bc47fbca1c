-- The results: one row per leg and per call.
--
-- Rows are images: all rows of a call are written together under one `version`, the flush sequence of the call's slot, and
-- the highest version of a key wins. Nothing that can change stands in a sorting key. The partition is the day on which the
-- call was first seen, which never changes for a call, so FINAL may work partition by partition. A leg that drops out of
-- the limits of the contract's section 4 is written once more, as deleted.

CREATE TABLE IF NOT EXISTS {{database}}.legs_{{local}} {{on_cluster}} (
    tenant_id                LowCardinality(String),
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
    call_day                 Date,
    version                  UInt64,
    deleted                  UInt8
)
ENGINE = {{replicated}}ReplacingMergeTree(version, deleted)
PARTITION BY call_day
ORDER BY (tenant_id, call_uuid, device_id)
TTL call_day + toIntervalDay({{calls_days}})
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.legs_rows {{on_cluster}} AS {{database}}.legs_local
ENGINE = Distributed({{cluster}}, {{database}}, legs_local, sipHash64(call_uuid));

CREATE OR REPLACE VIEW {{database}}.legs {{on_cluster}} AS
SELECT
    tenant_id, app_id, call_uuid, device_id, role, platform, os_version, os_major, app_version, sdk_version, device_model,
    country, carrier, network, build_channel, channel, environment, call_ui, verdict, evidence, outcome, end_reason,
    diagnoses, push_attempts, push_reject_reason, app_state, sent_at, accepted_at, received_at, reported_at, answered_at,
    audio_at, declined_at, ended_at, sent_to_accepted_ms, accepted_to_received_ms, sent_to_received_ms,
    received_to_reported_ms, reported_to_answered_ms, answered_to_audio_ms, initiated_to_reported_ms, talk_ms, started_at,
    updated_at
FROM {{database}}.legs_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE IF NOT EXISTS {{database}}.calls_{{local}} {{on_cluster}} (
    tenant_id      LowCardinality(String),
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
    call_day       Date,
    version        UInt64,
    deleted        UInt8
)
ENGINE = {{replicated}}ReplacingMergeTree(version, deleted)
PARTITION BY call_day
ORDER BY (tenant_id, call_uuid)
TTL call_day + toIntervalDay({{calls_days}})
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.calls_rows {{on_cluster}} AS {{database}}.calls_local
ENGINE = Distributed({{cluster}}, {{database}}, calls_local, sipHash64(call_uuid));

CREATE OR REPLACE VIEW {{database}}.calls {{on_cluster}} AS
SELECT
    tenant_id, app_id, call_uuid, started_at, initiated_at, answered_at, connected_at, cancelled_at, ended_at, outcome,
    end_reason, legs, legs_violating, diagnoses, updated_at
FROM {{database}}.calls_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
