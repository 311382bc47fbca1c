-- What pages ask of a month is counted when a slice is rolled up: legs by outcome, refusals and ends in `leg_stats`, latencies in
-- a table of their own; violations, and the legs of one device in 64, are kept apart. Everything is rolled up once more for it, the
-- newest slices first; until then pages show what is done.
TRUNCATE TABLE {{database}}.rolled_slices_{{local}} {{on_cluster}};

ALTER TABLE {{database}}.leg_stats_{{local}} {{on_cluster}}
    -- Legs by what happened to them: a push was sent. Reported, by call.reported or verdict. Accepted and received as well.
    -- Accepted, and received so many seconds after being sent.
    ADD COLUMN IF NOT EXISTS legs_sent UInt32 CODEC(T64, LZ4) AFTER talk_ms,
    ADD COLUMN IF NOT EXISTS legs_reported_any UInt32 CODEC(T64, LZ4) AFTER legs_sent,
    ADD COLUMN IF NOT EXISTS accepted_received UInt32 CODEC(T64, LZ4) AFTER legs_reported_any,
    ADD COLUMN IF NOT EXISTS accepted_in_2s UInt32 CODEC(T64, LZ4) AFTER accepted_received,
    ADD COLUMN IF NOT EXISTS accepted_in_5s UInt32 CODEC(T64, LZ4) AFTER accepted_in_2s,
    ADD COLUMN IF NOT EXISTS accepted_in_10s UInt32 CODEC(T64, LZ4) AFTER accepted_in_5s,
    ADD COLUMN IF NOT EXISTS accepted_in_30s UInt32 CODEC(T64, LZ4) AFTER accepted_in_10s,
    -- Legs by outcome, beside `legs_answered`.
    ADD COLUMN IF NOT EXISTS outcome_answered_elsewhere UInt32 CODEC(T64, LZ4) AFTER accepted_in_30s,
    ADD COLUMN IF NOT EXISTS outcome_declined UInt32 CODEC(T64, LZ4) AFTER outcome_answered_elsewhere,
    ADD COLUMN IF NOT EXISTS outcome_declined_elsewhere UInt32 CODEC(T64, LZ4) AFTER outcome_declined,
    ADD COLUMN IF NOT EXISTS outcome_busy UInt32 CODEC(T64, LZ4) AFTER outcome_declined_elsewhere,
    ADD COLUMN IF NOT EXISTS outcome_cancelled UInt32 CODEC(T64, LZ4) AFTER outcome_busy,
    ADD COLUMN IF NOT EXISTS outcome_filtered UInt32 CODEC(T64, LZ4) AFTER outcome_cancelled,
    ADD COLUMN IF NOT EXISTS outcome_failed UInt32 CODEC(T64, LZ4) AFTER outcome_filtered,
    ADD COLUMN IF NOT EXISTS outcome_unanswered UInt32 CODEC(T64, LZ4) AFTER outcome_failed,
    ADD COLUMN IF NOT EXISTS outcome_unreachable UInt32 CODEC(T64, LZ4) AFTER outcome_unanswered,
    ADD COLUMN IF NOT EXISTS outcome_unknown UInt32 CODEC(T64, LZ4) AFTER outcome_unreachable,
    ADD COLUMN IF NOT EXISTS outcome_in_progress UInt32 CODEC(T64, LZ4) AFTER outcome_unknown,
    -- Legs by reason of a refused push, and by end reason; like `diagnoses`.
    ADD COLUMN IF NOT EXISTS rejections Map(LowCardinality(String), UInt64) AFTER diagnoses,
    ADD COLUMN IF NOT EXISTS end_reasons Map(LowCardinality(String), UInt64) AFTER rejections;

-- cluster only
ALTER TABLE {{database}}.leg_stats_rows {{on_cluster}}
    ADD COLUMN IF NOT EXISTS legs_sent UInt32 AFTER talk_ms,
    ADD COLUMN IF NOT EXISTS legs_reported_any UInt32 AFTER legs_sent,
    ADD COLUMN IF NOT EXISTS accepted_received UInt32 AFTER legs_reported_any,
    ADD COLUMN IF NOT EXISTS accepted_in_2s UInt32 AFTER accepted_received,
    ADD COLUMN IF NOT EXISTS accepted_in_5s UInt32 AFTER accepted_in_2s,
    ADD COLUMN IF NOT EXISTS accepted_in_10s UInt32 AFTER accepted_in_5s,
    ADD COLUMN IF NOT EXISTS accepted_in_30s UInt32 AFTER accepted_in_10s,
    ADD COLUMN IF NOT EXISTS outcome_answered_elsewhere UInt32 AFTER accepted_in_30s,
    ADD COLUMN IF NOT EXISTS outcome_declined UInt32 AFTER outcome_answered_elsewhere,
    ADD COLUMN IF NOT EXISTS outcome_declined_elsewhere UInt32 AFTER outcome_declined,
    ADD COLUMN IF NOT EXISTS outcome_busy UInt32 AFTER outcome_declined_elsewhere,
    ADD COLUMN IF NOT EXISTS outcome_cancelled UInt32 AFTER outcome_busy,
    ADD COLUMN IF NOT EXISTS outcome_filtered UInt32 AFTER outcome_cancelled,
    ADD COLUMN IF NOT EXISTS outcome_failed UInt32 AFTER outcome_filtered,
    ADD COLUMN IF NOT EXISTS outcome_unanswered UInt32 AFTER outcome_failed,
    ADD COLUMN IF NOT EXISTS outcome_unreachable UInt32 AFTER outcome_unanswered,
    ADD COLUMN IF NOT EXISTS outcome_unknown UInt32 AFTER outcome_unreachable,
    ADD COLUMN IF NOT EXISTS outcome_in_progress UInt32 AFTER outcome_unknown,
    ADD COLUMN IF NOT EXISTS rejections Map(LowCardinality(String), UInt64) AFTER diagnoses,
    ADD COLUMN IF NOT EXISTS end_reasons Map(LowCardinality(String), UInt64) AFTER rejections;

-- Counts of ten minutes are small, and read by the million: in four bytes they add up more than twice as fast.
TRUNCATE TABLE {{database}}.leg_stats_{{local}} {{on_cluster}};

ALTER TABLE {{database}}.leg_stats_{{local}} {{on_cluster}}
    MODIFY COLUMN legs UInt32 CODEC(T64, LZ4), MODIFY COLUMN legs_pending UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN legs_not_applicable UInt32 CODEC(T64, LZ4), MODIFY COLUMN legs_rejected UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN legs_no_receipt UInt32 CODEC(T64, LZ4), MODIFY COLUMN legs_exempt UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN legs_reported UInt32 CODEC(T64, LZ4), MODIFY COLUMN legs_reported_late UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN legs_filtered UInt32 CODEC(T64, LZ4), MODIFY COLUMN legs_report_error UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN legs_unreported UInt32 CODEC(T64, LZ4), MODIFY COLUMN legs_confirmed UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN legs_accepted UInt32 CODEC(T64, LZ4), MODIFY COLUMN legs_received UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN legs_rung UInt32 CODEC(T64, LZ4), MODIFY COLUMN legs_answered UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN legs_talked UInt32 CODEC(T64, LZ4), MODIFY COLUMN received_2s UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN received_5s UInt32 CODEC(T64, LZ4), MODIFY COLUMN received_10s UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN received_30s UInt32 CODEC(T64, LZ4), MODIFY COLUMN push_attempts UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN pushes_accepted UInt32 CODEC(T64, LZ4), MODIFY COLUMN calls UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN calls_answered UInt32 CODEC(T64, LZ4), MODIFY COLUMN calls_declined UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN calls_busy UInt32 CODEC(T64, LZ4), MODIFY COLUMN calls_cancelled UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN calls_filtered UInt32 CODEC(T64, LZ4), MODIFY COLUMN calls_failed UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN calls_unanswered UInt32 CODEC(T64, LZ4), MODIFY COLUMN calls_unreachable UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN calls_unknown UInt32 CODEC(T64, LZ4), MODIFY COLUMN calls_in_progress UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN calls_initiated UInt32 CODEC(T64, LZ4), MODIFY COLUMN calls_reached UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN calls_rung UInt32 CODEC(T64, LZ4), MODIFY COLUMN answered_initiated UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN answered_reached UInt32 CODEC(T64, LZ4), MODIFY COLUMN answered_rung UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN effective_reached UInt32 CODEC(T64, LZ4);

-- cluster only
ALTER TABLE {{database}}.leg_stats_rows {{on_cluster}}
    MODIFY COLUMN legs UInt32, MODIFY COLUMN legs_pending UInt32, MODIFY COLUMN legs_not_applicable UInt32,
    MODIFY COLUMN legs_rejected UInt32, MODIFY COLUMN legs_no_receipt UInt32, MODIFY COLUMN legs_exempt UInt32,
    MODIFY COLUMN legs_reported UInt32, MODIFY COLUMN legs_reported_late UInt32, MODIFY COLUMN legs_filtered UInt32,
    MODIFY COLUMN legs_report_error UInt32, MODIFY COLUMN legs_unreported UInt32, MODIFY COLUMN legs_confirmed UInt32,
    MODIFY COLUMN legs_accepted UInt32, MODIFY COLUMN legs_received UInt32, MODIFY COLUMN legs_rung UInt32,
    MODIFY COLUMN legs_answered UInt32, MODIFY COLUMN legs_talked UInt32, MODIFY COLUMN received_2s UInt32,
    MODIFY COLUMN received_5s UInt32, MODIFY COLUMN received_10s UInt32, MODIFY COLUMN received_30s UInt32,
    MODIFY COLUMN push_attempts UInt32, MODIFY COLUMN pushes_accepted UInt32, MODIFY COLUMN calls UInt32,
    MODIFY COLUMN calls_answered UInt32, MODIFY COLUMN calls_declined UInt32, MODIFY COLUMN calls_busy UInt32,
    MODIFY COLUMN calls_cancelled UInt32, MODIFY COLUMN calls_filtered UInt32, MODIFY COLUMN calls_failed UInt32,
    MODIFY COLUMN calls_unanswered UInt32, MODIFY COLUMN calls_unreachable UInt32, MODIFY COLUMN calls_unknown UInt32,
    MODIFY COLUMN calls_in_progress UInt32, MODIFY COLUMN calls_initiated UInt32, MODIFY COLUMN calls_reached UInt32,
    MODIFY COLUMN calls_rung UInt32, MODIFY COLUMN answered_initiated UInt32, MODIFY COLUMN answered_reached UInt32,
    MODIFY COLUMN answered_rung UInt32, MODIFY COLUMN effective_reached UInt32;

CREATE OR REPLACE VIEW {{database}}.leg_stats {{on_cluster}} AS
SELECT
    tenant_id, bucket, app_id, app_version, platform, os_major, country, channel, build_channel, role, first_seen, legs,
    legs_pending, legs_not_applicable, legs_rejected, legs_no_receipt, legs_exempt, legs_reported, legs_reported_late,
    legs_filtered, legs_report_error, legs_unreported, legs_confirmed, legs_accepted, legs_received, legs_rung, legs_answered,
    legs_talked, talk_ms, legs_sent, legs_reported_any, accepted_received, accepted_in_2s, accepted_in_5s, accepted_in_10s,
    accepted_in_30s, outcome_answered_elsewhere, outcome_declined, outcome_declined_elsewhere, outcome_busy, outcome_cancelled,
    outcome_filtered, outcome_failed, outcome_unanswered, outcome_unreachable, outcome_unknown, outcome_in_progress,
    received_2s, received_5s, received_10s, received_30s, push_attempts, pushes_accepted, calls,
    calls_answered, calls_declined, calls_busy, calls_cancelled, calls_filtered, calls_failed, calls_unanswered,
    calls_unreachable, calls_unknown, calls_in_progress, calls_initiated, calls_reached, calls_rung, answered_initiated,
    answered_reached, answered_rung, effective_reached, diagnoses, rejections, end_reasons
FROM {{database}}.leg_stats_rows
WHERE version {{global}} IN (SELECT version FROM {{database}}.rolled_slices);

-- Callee legs by bin of each latency (see `leg_facts`), for percentiles and heatmaps of more than a few days.
CREATE TABLE IF NOT EXISTS {{database}}.leg_latencies_{{local}} {{on_cluster}} (
    -- The latency's column in `leg_facts`, without its unit.
    stage       LowCardinality(String),
    tenant_id   LowCardinality(String),
    -- `started_at`, cut to ten minutes.
    bucket      DateTime('UTC') CODEC(Delta, LZ4),
    app_id      LowCardinality(String),
    app_version LowCardinality(String),
    bin         UInt16 CODEC(LZ4),
    first_seen  DateTime('UTC') CODEC(Delta, LZ4),
    legs        UInt32 CODEC(T64, LZ4),
    version     UInt64 CODEC(LZ4)
)
ENGINE = {{replicated}}MergeTree
PARTITION BY toDate(first_seen)
ORDER BY (stage, tenant_id, bucket, app_id, app_version, bin)
TTL first_seen + toIntervalDay({{calls_days}})
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.leg_latencies_rows {{on_cluster}} AS {{database}}.leg_latencies_local
ENGINE = Distributed({{cluster}}, {{database}}, leg_latencies_local, sipHash64(bucket));

CREATE OR REPLACE VIEW {{database}}.leg_latencies {{on_cluster}} AS
SELECT stage, tenant_id, bucket, app_id, app_version, bin, first_seen, legs
FROM {{database}}.leg_latencies_rows
WHERE version {{global}} IN (SELECT version FROM {{database}}.rolled_slices);

-- The legs of `leg_facts` whose device has a cityHash64 that 64 divides.
CREATE TABLE IF NOT EXISTS {{database}}.leg_sample_{{local}} {{on_cluster}} AS {{database}}.leg_facts_{{local}}
ENGINE = {{replicated}}MergeTree
PARTITION BY toDate(first_seen)
ORDER BY (tenant_id, bucket, app_id, app_version, started_at)
TTL first_seen + toIntervalDay({{calls_days}})
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.leg_sample_rows {{on_cluster}} AS {{database}}.leg_sample_local
ENGINE = Distributed({{cluster}}, {{database}}, leg_sample_local, sipHash64(call_uuid));

CREATE OR REPLACE VIEW {{database}}.leg_sample {{on_cluster}} AS
SELECT
    tenant_id, bucket, app_id, started_at, first_seen, call_uuid, device_id, role, platform, os_version, os_major, app_version,
    sdk_version, device_model, country, carrier, network, channel, build_channel, environment, call_ui, verdict, evidence,
    outcome, end_reason, diagnoses, push_attempts, pushes_accepted, push_reject_reason, app_state, sent_at, accepted_at,
    received_at, reported_at, answered_at, ended_at
FROM {{database}}.leg_sample_rows
WHERE version {{global}} IN (SELECT version FROM {{database}}.rolled_slices);

-- The legs of `leg_facts` with the verdict unreported: few, and looked through by device.
CREATE TABLE IF NOT EXISTS {{database}}.leg_violations_{{local}} {{on_cluster}} AS {{database}}.leg_facts_{{local}}
ENGINE = {{replicated}}MergeTree
PARTITION BY toDate(first_seen)
ORDER BY (tenant_id, bucket, app_id, app_version, started_at)
TTL first_seen + toIntervalDay({{calls_days}})
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.leg_violations_rows {{on_cluster}} AS {{database}}.leg_violations_local
ENGINE = Distributed({{cluster}}, {{database}}, leg_violations_local, sipHash64(call_uuid));

CREATE OR REPLACE VIEW {{database}}.leg_violations {{on_cluster}} AS
SELECT
    tenant_id, bucket, app_id, started_at, first_seen, call_uuid, device_id, role, platform, os_version, os_major, app_version,
    sdk_version, device_model, country, carrier, network, channel, build_channel, environment, call_ui, verdict, evidence,
    outcome, end_reason, diagnoses, push_attempts, pushes_accepted, push_reject_reason, app_state, sent_at, accepted_at,
    received_at, reported_at, answered_at, ended_at
FROM {{database}}.leg_violations_rows
WHERE version {{global}} IN (SELECT version FROM {{database}}.rolled_slices);

-- Legs of one device are looked for in a month of them.
ALTER TABLE {{database}}.leg_facts_{{local}} {{on_cluster}}
    ADD INDEX IF NOT EXISTS device_id_bloom device_id TYPE bloom_filter(0.01) GRANULARITY 1;

INSERT INTO {{database}}.dirty_slices_rows
SELECT DISTINCT first_seen, now64(3, 'UTC') FROM {{database}}.calls_rows;
