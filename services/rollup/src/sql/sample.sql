INSERT INTO leg_sample_rows
SELECT * FROM leg_facts_rows
WHERE first_seen IN ({{slices}})
    AND version IN (SELECT cityHash64(toUInt64({{pass}}), toDateTime(arrayJoin([{{slices}}]), 'UTC')))
    AND role != 'none' AND cityHash64(device_id) % 64 = 0
