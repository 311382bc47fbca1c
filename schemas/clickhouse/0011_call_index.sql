-- Which calls there are, so that a call that was never seen costs little: `events` is laid out by day, and to look for a UUID there
-- is to read a block of every part of every day that is kept.
--
-- A row is a call, or nearly one: the upper half of its UUID (its first 16 hexadecimal digits), which another call may share, and
-- when its first and its last event were logged. Who finds a call here asks `events` for it, and knows which days to read. A month
-- is one partition, so that there are few parts to look into. History that counts for nothing (`first_seen` 0) is not in it.
--
-- Rows come with those of `events`, in one insert; what is stored already is entered once more at the end, which may be repeated.
CREATE TABLE IF NOT EXISTS {{database}}.call_index_{{local}} {{on_cluster}} (
    call_high    UInt64,
    first_logged SimpleAggregateFunction(min, DateTime('UTC')),
    last_logged  SimpleAggregateFunction(max, DateTime('UTC'))
)
ENGINE = {{replicated}}AggregatingMergeTree
PARTITION BY toYYYYMM(last_logged)
ORDER BY call_high
TTL last_logged + toIntervalDay({{events_days}})
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 0, index_granularity = 1024;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.call_index_rows {{on_cluster}} AS {{database}}.call_index_local
ENGINE = Distributed({{cluster}}, {{database}}, call_index_local, sipHash64(call_high));

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.index_calls {{on_cluster}} TO {{database}}.call_index_{{local}} AS
SELECT reinterpretAsUInt64(call_uuid) AS call_high, toDateTime(min(log_at), 'UTC') AS first_logged, toDateTime(max(log_at), 'UTC') AS last_logged
FROM {{database}}.events_{{local}} WHERE first_seen != toDateTime(0) GROUP BY call_high;

INSERT INTO {{database}}.call_index_rows (call_high, first_logged, last_logged)
SELECT reinterpretAsUInt64(call_uuid), toDateTime(min(log_at), 'UTC'), toDateTime(max(log_at), 'UTC')
FROM {{database}}.events_rows WHERE first_seen != toDateTime(0) GROUP BY tenant_id, call_uuid
SETTINGS optimize_aggregation_in_order = 1, distributed_foreground_insert = 1, max_partitions_per_insert_block = 0;
