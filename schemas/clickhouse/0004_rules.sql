-- The settings by which calls are judged, as `migrate` stored them. The highest number holds; a linker with other settings
-- does not start, and one that meets a higher number stops. A handful of rows: no partitions, no TTL.

CREATE TABLE IF NOT EXISTS {{database}}.rules_{{local}} {{on_cluster}} (
    number    UInt64,
    -- By name, as in section [rules] of the configuration, in milliseconds.
    settings  Map(String, Int64),
    stored_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = {{replicated}}ReplacingMergeTree(stored_at)
ORDER BY number
SETTINGS non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.rules_rows {{on_cluster}} AS {{database}}.rules_local
ENGINE = Distributed({{cluster}}, {{database}}, rules_local, sipHash64(number));

CREATE OR REPLACE VIEW {{database}}.rules {{on_cluster}} AS
SELECT number, settings, stored_at
FROM {{database}}.rules_rows FINAL;
