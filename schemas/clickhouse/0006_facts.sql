-- What dashboards read: a fact per leg, and the counts of ten minutes.
--
-- A *slice* is all calls that were first seen in the same ten minutes (`first_seen`, frozen for a call). An insert into `legs`
-- or `calls` only marks its slices in `dirty_slices`: marking twice is marking once, so repeated rows count nothing twice. The
-- roller (services/rollup) takes marked slices, reads `legs` and `calls` of each as they are now, writes `leg_facts` and
-- `leg_stats` under a new version, and then a row of `rolled_slices` that points to it. The views show the rows of the newest
-- pointer of each slice only, so a slice is replaced as a whole; rows of older versions are deleted some minutes later.
--
-- A pointer counts two seconds after it was written: a query notes the parts of a table before it reads the pointers, and
-- must not meet one whose rows came after that.
--
-- Partitions are days of `first_seen`, as those of `legs`. Within one, rows are sorted by the ten minutes in which the leg
-- started, which a dashboard's range is about: it reads the granules of its range, in whatever slice a late call is.

CREATE TABLE IF NOT EXISTS {{database}}.dirty_slices_{{local}} {{on_cluster}} (
    first_seen DateTime('UTC'),
    marked_at  DateTime64(3, 'UTC')
)
ENGINE = {{replicated}}ReplacingMergeTree(marked_at)
ORDER BY first_seen
TTL first_seen + toIntervalDay({{calls_days}})
SETTINGS non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.dirty_slices_rows {{on_cluster}} AS {{database}}.dirty_slices_local
ENGINE = Distributed({{cluster}}, {{database}}, dirty_slices_local, sipHash64(first_seen));

CREATE TABLE IF NOT EXISTS {{database}}.rolled_slices_{{local}} {{on_cluster}} (
    first_seen DateTime('UTC'),
    -- Of the slice's rows of `leg_facts` and `leg_stats`; no two slices and no two takings share one.
    version    UInt64,
    -- Server's time before `legs` and `calls` were read.
    taken_at   DateTime64(3, 'UTC'),
    -- Server's time after `leg_facts` and `leg_stats` were written.
    rolled_at  DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    -- How many rows of `legs` and of `calls` were read, and the sum of their versions: whether they still are the same.
    images     UInt64,
    versions   UInt64
)
ENGINE = {{replicated}}MergeTree
ORDER BY (first_seen, taken_at)
TTL first_seen + toIntervalDay({{calls_days}})
SETTINGS non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.rolled_slices_rows {{on_cluster}} AS {{database}}.rolled_slices_local
ENGINE = Distributed({{cluster}}, {{database}}, rolled_slices_local, sipHash64(first_seen));

-- One row per slice: the newest pointer that counts.
CREATE OR REPLACE VIEW {{database}}.rolled_slices {{on_cluster}} AS
SELECT first_seen, argMax(rows.version, rows.taken_at) AS version, max(rows.taken_at) AS taken_at
FROM {{database}}.rolled_slices_rows AS rows
WHERE rows.rolled_at <= now64(3, 'UTC') - toIntervalSecond(2)
GROUP BY first_seen;

CREATE TABLE IF NOT EXISTS {{database}}.leg_facts_{{local}} {{on_cluster}} (
    tenant_id                LowCardinality(String),
    -- `started_at`, cut to ten minutes.
    bucket                   DateTime('UTC') CODEC(Delta, ZSTD(1)),
    app_id                   LowCardinality(String),
    started_at               DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    -- The slice of the call: with tenant and call the key of `legs_rows` and `calls_rows`.
    first_seen               DateTime('UTC') CODEC(Delta, ZSTD(1)),
    call_uuid                UUID,
    -- Empty in the row of a call without callee legs.
    device_id                String CODEC(ZSTD(1)),
    -- callee, caller, or none: the row of a call without callee legs. Rates of legs are over callee.
    role                     LowCardinality(String),
    -- From here to call_ui '' is unknown, where `legs` has null.
    platform                 LowCardinality(String),
    os_version               LowCardinality(String),
    os_major                 UInt16,
    app_version              LowCardinality(String),
    sdk_version              LowCardinality(String),
    device_model             LowCardinality(String),
    country                  LowCardinality(String),
    carrier                  LowCardinality(String),
    network                  LowCardinality(String),
    channel                  LowCardinality(String),
    build_channel            LowCardinality(String),
    environment              LowCardinality(String),
    call_ui                  LowCardinality(String),
    -- Empty where role is none, as are outcome and evidence.
    verdict                  LowCardinality(String),
    evidence                 LowCardinality(String),
    outcome                  LowCardinality(String),
    end_reason               LowCardinality(String),
    diagnoses                Array(LowCardinality(String)),
    push_attempts            UInt32 CODEC(ZSTD(1)),
    pushes_accepted          UInt32 CODEC(ZSTD(1)),
    push_reject_reason       LowCardinality(String),
    app_state                LowCardinality(String),
    sent_at                  Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    accepted_at              Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    received_at              Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    reported_at              Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    answered_at              Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    ended_at                 Nullable(DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    sent_to_accepted_ms      Nullable(Int64) CODEC(ZSTD(1)),
    accepted_to_received_ms  Nullable(Int64) CODEC(ZSTD(1)),
    sent_to_received_ms      Nullable(Int64) CODEC(ZSTD(1)),
    received_to_reported_ms  Nullable(Int64) CODEC(ZSTD(1)),
    reported_to_answered_ms  Nullable(Int64) CODEC(ZSTD(1)),
    answered_to_audio_ms     Nullable(Int64) CODEC(ZSTD(1)),
    initiated_to_reported_ms Nullable(Int64) CODEC(ZSTD(1)),
    talk_ms                  Nullable(Int64) CODEC(ZSTD(1)),
    -- The latency's bin: 0 no latency, 1 is 0 ms, above that 2 + round(ln(ms) / ln(1.02)). The middle of a bin is
    -- exp((bin - 2) * ln(1.02)) ms, at most 1 % from every value in it. Counting by bin gives percentiles and heatmaps, many
    -- times faster than quantile(): an array of counters, no sorting.
    sent_to_accepted_bin     UInt16 MATERIALIZED if(isNull(sent_to_accepted_ms), 0, if(sent_to_accepted_ms < 1, 1, toUInt16(2 + round(log(greatest(assumeNotNull(sent_to_accepted_ms), 1)) / log(1.02))))) CODEC(ZSTD(1)),
    accepted_to_received_bin UInt16 MATERIALIZED if(isNull(accepted_to_received_ms), 0, if(accepted_to_received_ms < 1, 1, toUInt16(2 + round(log(greatest(assumeNotNull(accepted_to_received_ms), 1)) / log(1.02))))) CODEC(ZSTD(1)),
    sent_to_received_bin     UInt16 MATERIALIZED if(isNull(sent_to_received_ms), 0, if(sent_to_received_ms < 1, 1, toUInt16(2 + round(log(greatest(assumeNotNull(sent_to_received_ms), 1)) / log(1.02))))) CODEC(ZSTD(1)),
    received_to_reported_bin UInt16 MATERIALIZED if(isNull(received_to_reported_ms), 0, if(received_to_reported_ms < 1, 1, toUInt16(2 + round(log(greatest(assumeNotNull(received_to_reported_ms), 1)) / log(1.02))))) CODEC(ZSTD(1)),
    reported_to_answered_bin UInt16 MATERIALIZED if(isNull(reported_to_answered_ms), 0, if(reported_to_answered_ms < 1, 1, toUInt16(2 + round(log(greatest(assumeNotNull(reported_to_answered_ms), 1)) / log(1.02))))) CODEC(ZSTD(1)),
    answered_to_audio_bin    UInt16 MATERIALIZED if(isNull(answered_to_audio_ms), 0, if(answered_to_audio_ms < 1, 1, toUInt16(2 + round(log(greatest(assumeNotNull(answered_to_audio_ms), 1)) / log(1.02))))) CODEC(ZSTD(1)),
    initiated_to_reported_bin UInt16 MATERIALIZED if(isNull(initiated_to_reported_ms), 0, if(initiated_to_reported_ms < 1, 1, toUInt16(2 + round(log(greatest(assumeNotNull(initiated_to_reported_ms), 1)) / log(1.02))))) CODEC(ZSTD(1)),
    talk_bin                 UInt16 MATERIALIZED if(isNull(talk_ms), 0, if(talk_ms < 1, 1, toUInt16(2 + round(log(greatest(assumeNotNull(talk_ms), 1)) / log(1.02))))) CODEC(ZSTD(1)),
    updated_at               DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    -- Facts of the call, on one row of each call and 0 or empty on its others, so that sums over rows count each call once,
    -- with the dimensions of this row: of the callee leg that answered (first), else of the earliest callee leg; ties by
    -- device_id.
    leads_call               UInt8,
    call_outcome             LowCardinality(String),
    -- There was a call.initiated.
    call_initiated           UInt8,
    -- A push to any callee leg was accepted or received, or its channel is a socket.
    call_reached             UInt8,
    -- Any callee leg has the verdict reported or reported_late, or a call.reported.
    call_rung                UInt8,
    -- Callee legs.
    call_legs                UInt32 CODEC(ZSTD(1)),
    version                  UInt64 CODEC(ZSTD(1))
)
ENGINE = {{replicated}}MergeTree
PARTITION BY toDate(first_seen)
ORDER BY (tenant_id, bucket, app_id, app_version, started_at)
TTL first_seen + toIntervalDay({{calls_days}})
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.leg_facts_rows {{on_cluster}} AS {{database}}.leg_facts_local
ENGINE = Distributed({{cluster}}, {{database}}, leg_facts_local, sipHash64(call_uuid));

-- A row per leg, and one per call without callee legs.
CREATE OR REPLACE VIEW {{database}}.leg_facts {{on_cluster}} AS
SELECT
    tenant_id, bucket, app_id, started_at, first_seen, call_uuid, device_id, role, platform, os_version, os_major, app_version,
    sdk_version, device_model, country, carrier, network, channel, build_channel, environment, call_ui, verdict, evidence,
    outcome, end_reason, diagnoses, push_attempts, pushes_accepted, push_reject_reason, app_state, sent_at, accepted_at,
    received_at, reported_at, answered_at, ended_at, sent_to_accepted_ms, accepted_to_received_ms, sent_to_received_ms,
    received_to_reported_ms, reported_to_answered_ms, answered_to_audio_ms, initiated_to_reported_ms, talk_ms,
    sent_to_accepted_bin, accepted_to_received_bin, sent_to_received_bin, received_to_reported_bin, reported_to_answered_bin,
    answered_to_audio_bin, initiated_to_reported_bin, talk_bin, updated_at, leads_call, call_outcome, call_initiated,
    call_reached, call_rung, call_legs
FROM {{database}}.leg_facts_rows
WHERE version {{global}} IN (SELECT version FROM {{database}}.rolled_slices);

CREATE TABLE IF NOT EXISTS {{database}}.leg_stats_{{local}} {{on_cluster}} (
    tenant_id              LowCardinality(String),
    -- `started_at`, cut to ten minutes.
    bucket                 DateTime('UTC') CODEC(Delta, ZSTD(1)),
    app_id                 LowCardinality(String),
    app_version            LowCardinality(String),
    platform               LowCardinality(String),
    os_major               UInt16,
    country                LowCardinality(String),
    channel                LowCardinality(String),
    build_channel          LowCardinality(String),
    -- callee, caller, or none (calls without callee legs).
    role                   LowCardinality(String),
    first_seen             DateTime('UTC') CODEC(Delta, ZSTD(1)),
    legs                   UInt64 CODEC(ZSTD(1)),
    -- Legs by verdict.
    legs_pending           UInt64 CODEC(ZSTD(1)),
    legs_not_applicable    UInt64 CODEC(ZSTD(1)),
    legs_rejected          UInt64 CODEC(ZSTD(1)),
    legs_no_receipt        UInt64 CODEC(ZSTD(1)),
    legs_exempt            UInt64 CODEC(ZSTD(1)),
    legs_reported          UInt64 CODEC(ZSTD(1)),
    legs_reported_late     UInt64 CODEC(ZSTD(1)),
    legs_filtered          UInt64 CODEC(ZSTD(1)),
    legs_report_error      UInt64 CODEC(ZSTD(1)),
    legs_unreported        UInt64 CODEC(ZSTD(1)),
    -- Unreported with the evidence confirmed.
    legs_confirmed         UInt64 CODEC(ZSTD(1)),
    -- Legs by what happened to them: a push was accepted, received; a call.reported; answered; answered with an end.
    legs_accepted          UInt64 CODEC(ZSTD(1)),
    legs_received          UInt64 CODEC(ZSTD(1)),
    legs_rung              UInt64 CODEC(ZSTD(1)),
    legs_answered          UInt64 CODEC(ZSTD(1)),
    legs_talked            UInt64 CODEC(ZSTD(1)),
    -- Of those, the sum of talk_ms: average call duration is talk_ms / legs_talked.
    talk_ms                UInt64 CODEC(ZSTD(1)),
    -- Legs with sent_to_received_ms of at most so many seconds.
    received_2s            UInt64 CODEC(ZSTD(1)),
    received_5s            UInt64 CODEC(ZSTD(1)),
    received_10s           UInt64 CODEC(ZSTD(1)),
    received_30s           UInt64 CODEC(ZSTD(1)),
    push_attempts          UInt64 CODEC(ZSTD(1)),
    pushes_accepted        UInt64 CODEC(ZSTD(1)),
    -- Calls, each counted in the row of its leading leg (see leg_facts), and by outcome.
    calls                  UInt64 CODEC(ZSTD(1)),
    calls_answered         UInt64 CODEC(ZSTD(1)),
    calls_declined         UInt64 CODEC(ZSTD(1)),
    calls_busy             UInt64 CODEC(ZSTD(1)),
    calls_cancelled        UInt64 CODEC(ZSTD(1)),
    calls_filtered         UInt64 CODEC(ZSTD(1)),
    calls_failed           UInt64 CODEC(ZSTD(1)),
    calls_unanswered       UInt64 CODEC(ZSTD(1)),
    calls_unreachable      UInt64 CODEC(ZSTD(1)),
    calls_unknown          UInt64 CODEC(ZSTD(1)),
    calls_in_progress      UInt64 CODEC(ZSTD(1)),
    -- Denominators of the contract's section 7, and the answered calls among each.
    calls_initiated        UInt64 CODEC(ZSTD(1)),
    calls_reached          UInt64 CODEC(ZSTD(1)),
    calls_rung             UInt64 CODEC(ZSTD(1)),
    answered_initiated     UInt64 CODEC(ZSTD(1)),
    answered_reached       UInt64 CODEC(ZSTD(1)),
    answered_rung          UInt64 CODEC(ZSTD(1)),
    -- Answered, declined, unanswered, busy or filtered among the calls reached: network effectiveness.
    effective_reached      UInt64 CODEC(ZSTD(1)),
    -- Legs by diagnosis; a leg counts under each of its own. ARRAY JOIN mapKeys(diagnoses), mapValues(diagnoses).
    diagnoses              Map(LowCardinality(String), UInt64),
    version                UInt64 CODEC(ZSTD(1))
)
ENGINE = {{replicated}}MergeTree
PARTITION BY toDate(first_seen)
ORDER BY (tenant_id, bucket, app_id, app_version, platform, os_major, country)
TTL first_seen + toIntervalDay({{calls_days}})
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.leg_stats_rows {{on_cluster}} AS {{database}}.leg_stats_local
ENGINE = Distributed({{cluster}}, {{database}}, leg_stats_local, sipHash64(bucket));

-- Counts of ten minutes. A bucket has several rows of the same dimensions where its calls are of several slices: sum them.
CREATE OR REPLACE VIEW {{database}}.leg_stats {{on_cluster}} AS
SELECT
    tenant_id, bucket, app_id, app_version, platform, os_major, country, channel, build_channel, role, first_seen, legs,
    legs_pending, legs_not_applicable, legs_rejected, legs_no_receipt, legs_exempt, legs_reported, legs_reported_late,
    legs_filtered, legs_report_error, legs_unreported, legs_confirmed, legs_accepted, legs_received, legs_rung, legs_answered,
    legs_talked, talk_ms, received_2s, received_5s, received_10s, received_30s, push_attempts, pushes_accepted, calls,
    calls_answered, calls_declined, calls_busy, calls_cancelled, calls_filtered, calls_failed, calls_unanswered,
    calls_unreachable, calls_unknown, calls_in_progress, calls_initiated, calls_reached, calls_rung, answered_initiated,
    answered_reached, answered_rung, effective_reached, diagnoses
FROM {{database}}.leg_stats_rows
WHERE version {{global}} IN (SELECT version FROM {{database}}.rolled_slices);

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.mark_slices_of_legs {{on_cluster}} TO {{database}}.dirty_slices_{{local}} AS
SELECT DISTINCT first_seen, now64(3, 'UTC') AS marked_at FROM {{database}}.legs_{{local}};

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.mark_slices_of_calls {{on_cluster}} TO {{database}}.dirty_slices_{{local}} AS
SELECT DISTINCT first_seen, now64(3, 'UTC') AS marked_at FROM {{database}}.calls_{{local}};

-- What was there before there were marks.
INSERT INTO {{database}}.dirty_slices_rows
SELECT DISTINCT first_seen, now64(3, 'UTC') FROM {{database}}.calls_rows;
