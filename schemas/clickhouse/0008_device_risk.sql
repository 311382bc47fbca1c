-- How close iOS is to waking an app on a device no more: a row for each change of a level, the newest is the present one.
-- Devices that were never above `ok` have none. Apple documents no number, so the most that is said is `suspected`.
CREATE TABLE IF NOT EXISTS {{database}}.device_risk_{{local}} {{on_cluster}} (
    tenant_id      LowCardinality(String),
    app_id         LowCardinality(String),
    device_id      String,
    -- ok, watch, at_risk, critical, suspected
    level          LowCardinality(String),
    -- Log time at which it was entered.
    since          DateTime64(3, 'UTC'),
    -- Strikes that count.
    strikes        UInt32,
    last_strike_at Nullable(DateTime64(3, 'UTC')),
    -- Pushes that nothing was seen of since then, up to the last sign of life.
    silent         UInt32,
    silent_since   Nullable(DateTime64(3, 'UTC')),
    suspected_at   Nullable(DateTime64(3, 'UTC')),
    -- The call that decided last.
    call_uuid      String,
    reason         String,
    log_clock      DateTime64(3, 'UTC'),
    version        UInt64
)
ENGINE = {{replicated}}ReplacingMergeTree(version)
ORDER BY (tenant_id, app_id, device_id, since)
TTL toDateTime(fromUnixTimestamp64Milli(toInt64(version))) + toIntervalDay({{calls_days}})
SETTINGS non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.device_risk_rows {{on_cluster}} AS {{database}}.device_risk_local
ENGINE = Distributed({{cluster}}, {{database}}, device_risk_local, cityHash64(tenant_id, app_id, device_id));

CREATE OR REPLACE VIEW {{database}}.device_risk_history {{on_cluster}} AS
SELECT tenant_id, app_id, device_id, level, since, strikes, last_strike_at, silent, silent_since, suspected_at, call_uuid, reason,
    log_clock
FROM {{database}}.device_risk_rows FINAL;

CREATE OR REPLACE VIEW {{database}}.device_risk {{on_cluster}} AS
SELECT tenant_id, app_id, device_id, level, since, strikes, last_strike_at, silent, silent_since, suspected_at, call_uuid, reason,
    log_clock
FROM {{database}}.device_risk_rows FINAL
ORDER BY version DESC
LIMIT 1 BY tenant_id, app_id, device_id;
