-- Where each slot of the linker is: written last in each flush, read by people and by a new slot, which starts its flush
-- sequence above every sequence here. A slot is one partition index, so a handful of rows: no partitions, no TTL.

CREATE TABLE IF NOT EXISTS {{database}}.slots_{{local}} {{on_cluster}} (
    slot       UInt32,
    sequence   UInt64,
    log_clock  DateTime64(3, 'UTC'),
    positions  Map(String, Int64),
    open_calls UInt64,
    instance   String,
    written_at DateTime64(3, 'UTC')
)
ENGINE = {{replicated}}ReplacingMergeTree(sequence)
ORDER BY slot
SETTINGS non_replicated_deduplication_window = 0;

-- cluster only
CREATE TABLE IF NOT EXISTS {{database}}.slots_rows {{on_cluster}} AS {{database}}.slots_local
ENGINE = Distributed({{cluster}}, {{database}}, slots_local, sipHash64(slot));

CREATE OR REPLACE VIEW {{database}}.slots {{on_cluster}} AS
SELECT slot, sequence, log_clock, positions, open_calls, instance, written_at
FROM {{database}}.slots_rows FINAL;
