INSERT INTO leg_latencies_rows (stage, tenant_id, bucket, app_id, app_version, bin, first_seen, legs, version)
SELECT latency.1 AS stage, tenant_id, bucket, app_id, app_version, latency.2 AS bin, first_seen, count(), version
FROM leg_facts_rows
ARRAY JOIN [
    ('sent_to_accepted', sent_to_accepted_bin), ('accepted_to_received', accepted_to_received_bin),
    ('sent_to_received', sent_to_received_bin), ('received_to_reported', received_to_reported_bin),
    ('initiated_to_reported', initiated_to_reported_bin), ('reported_to_answered', reported_to_answered_bin),
    ('answered_to_audio', answered_to_audio_bin), ('talk', talk_bin)
] AS latency
WHERE first_seen IN ({{slices}})
    AND version IN (SELECT cityHash64(toUInt64({{pass}}), toDateTime(arrayJoin([{{slices}}]), 'UTC')))
    AND role = 'callee' AND bin != 0
GROUP BY stage, tenant_id, bucket, app_id, app_version, bin, first_seen, version
