-- What the alerter knows: alerts and their history, who was told, and the risk of apps and devices.
--
-- Rows are images again: the highest version of a key wins. A version is wall time in milliseconds when it was written, by the
-- one alerter that leads. A row for each group that ever fired: small, so the states have no partitions and no TTL, which could
-- uncover an older image.

CREATE TABLE IF NOT EXISTS {{database}}.alert_states_{{local}} {{on_cluster}} (
    -- A hash of the rule and its labels: names the alert for ever.
    fingerprint   String,
    rule          LowCardinality(String),
    severity      LowCardinality(String),
    labels        Map(String, String),
    -- pending, firing, resolved
    state         LowCardinality(String),
    -- Log times; wall times for rules about the pipeline.
    since         DateTime64(3, 'UTC'),
    fired_at      Nullable(DateTime64(3, 'UTC')),
    quiet_since   Nullable(DateTime64(3, 'UTC')),
    resolved_at   Nullable(DateTime64(3, 'UTC')),
    summary       String,
    -- 0 where it was found in time.
    found_late_ms Int64,
    -- Calls that show it, as JSON: [{"call_uuid", "device_id", "at"}]
    examples      String,
    version       UInt64,
    -- A pending one that came to nothing.
    deleted       UInt8
)
ENGINE = {{replicated}}ReplacingMergeTree(version, deleted)
ORDER BY fingerprint
SETTINGS non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.alert_states_rows {{on_cluster}} AS {{database}}.alert_states_local
ENGINE = Distributed({{cluster}}, {{database}}, alert_states_local, cityHash64(fingerprint));

-- Alerts as they are now: pending, firing, and those that were resolved.
CREATE OR REPLACE VIEW {{database}}.alerts {{on_cluster}} AS
SELECT fingerprint, rule, severity, labels, state, since, fired_at, quiet_since, resolved_at, summary, found_late_ms, examples
FROM {{database}}.alert_states_rows FINAL;

-- Every time that an alert began to fire, and was resolved.
CREATE TABLE IF NOT EXISTS {{database}}.alert_changes_{{local}} {{on_cluster}} (
    fingerprint   String,
    rule          LowCardinality(String),
    severity      LowCardinality(String),
    labels        Map(String, String),
    state         LowCardinality(String),
    at            DateTime64(3, 'UTC'),
    summary       String,
    found_late_ms Int64,
    examples      String,
    written_at    DateTime64(3, 'UTC')
)
ENGINE = {{replicated}}ReplacingMergeTree(written_at)
PARTITION BY toYYYYMM(at)
ORDER BY (at, fingerprint, state)
TTL toDateTime(at) + toIntervalDay({{calls_days}})
SETTINGS non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.alert_changes_rows {{on_cluster}} AS {{database}}.alert_changes_local
ENGINE = Distributed({{cluster}}, {{database}}, alert_changes_local, cityHash64(fingerprint));

CREATE OR REPLACE VIEW {{database}}.alert_history {{on_cluster}} AS
SELECT fingerprint, rule, severity, labels, state, at, summary, found_late_ms, examples, written_at
FROM {{database}}.alert_changes_rows FINAL;

-- The last that each receiver was told of each alert: firing, resolved, or still owed.
CREATE TABLE IF NOT EXISTS {{database}}.alert_deliveries_{{local}} {{on_cluster}} (
    receiver    LowCardinality(String),
    fingerprint String,
    -- Of the alert: another time is another episode.
    fired_at    DateTime64(3, 'UTC'),
    state       LowCardinality(String),
    version     UInt64
)
ENGINE = {{replicated}}ReplacingMergeTree(version)
ORDER BY (receiver, fingerprint)
SETTINGS non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.alert_deliveries_rows {{on_cluster}} AS {{database}}.alert_deliveries_local
ENGINE = Distributed({{cluster}}, {{database}}, alert_deliveries_local, cityHash64(fingerprint));

CREATE OR REPLACE VIEW {{database}}.alert_deliveries {{on_cluster}} AS
SELECT receiver, fingerprint, fired_at, state, fromUnixTimestamp64Milli(toInt64(version), 'UTC') AS delivered_at
FROM {{database}}.alert_deliveries_rows FINAL;

-- The level of every version of every app on every major version of iOS; a row for each change, the newest is the present one.
CREATE TABLE IF NOT EXISTS {{database}}.app_risk_{{local}} {{on_cluster}} (
    tenant_id   LowCardinality(String),
    app_id      LowCardinality(String),
    app_version LowCardinality(String),
    os_major    LowCardinality(String),
    -- ok, watch, at_risk, critical
    level       LowCardinality(String),
    -- Log time at which it was entered.
    since       DateTime64(3, 'UTC'),
    reason      String,
    -- Over three days, when the row was written.
    required    UInt64,
    violations  UInt64,
    confirmed   UInt64,
    calm_since  Nullable(DateTime64(3, 'UTC')),
    calm_level  LowCardinality(String),
    calm_reason String,
    log_clock   DateTime64(3, 'UTC'),
    version     UInt64
)
ENGINE = {{replicated}}ReplacingMergeTree(version)
ORDER BY (tenant_id, app_id, app_version, os_major, since)
TTL toDateTime(fromUnixTimestamp64Milli(toInt64(version))) + toIntervalDay({{calls_days}})
SETTINGS non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.app_risk_rows {{on_cluster}} AS {{database}}.app_risk_local
ENGINE = Distributed({{cluster}}, {{database}}, app_risk_local, cityHash64(tenant_id, app_id));

CREATE OR REPLACE VIEW {{database}}.app_risk_history {{on_cluster}} AS
SELECT tenant_id, app_id, app_version, os_major, level, since, reason, required, violations, confirmed, log_clock
FROM {{database}}.app_risk_rows FINAL;

CREATE OR REPLACE VIEW {{database}}.app_risk {{on_cluster}} AS
SELECT tenant_id, app_id, app_version, os_major, level, since, reason, required, violations, confirmed, calm_since, calm_level,
    calm_reason, log_clock
FROM {{database}}.app_risk_rows FINAL
ORDER BY version DESC
LIMIT 1 BY tenant_id, app_id, app_version, os_major;

-- Up to where rules have looked: what comes after is evaluated at the next start.
CREATE TABLE IF NOT EXISTS {{database}}.alert_clock_{{local}} {{on_cluster}} (
    one       UInt8,
    log_clock DateTime64(3, 'UTC'),
    instance  String,
    version   UInt64
)
ENGINE = {{replicated}}ReplacingMergeTree(version)
ORDER BY one
SETTINGS non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.alert_clock_rows {{on_cluster}} AS {{database}}.alert_clock_local
ENGINE = Distributed({{cluster}}, {{database}}, alert_clock_local, one);

CREATE OR REPLACE VIEW {{database}}.alert_clock {{on_cluster}} AS
SELECT log_clock, instance, fromUnixTimestamp64Milli(toInt64(version), 'UTC') AS written_at
FROM {{database}}.alert_clock_rows FINAL;
