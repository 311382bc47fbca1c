INSERT INTO leg_violations_rows
SELECT * FROM leg_facts_rows
WHERE first_seen IN ({{slices}})
    AND version IN (SELECT cityHash64(toUInt64({{pass}}), toDateTime(arrayJoin([{{slices}}]), 'UTC')))
    AND verdict = 'unreported'
