-- One call in a hundred has its events: enough to look calls up among.
INSERT INTO events_rows (
    tenant_id, call_uuid, event_id, contents, kind, occurred_at, app_id, device_id, platform, clock_offset_ms, attributes, log_at,
    source, first_seen)
SELECT
    tenant_id, call_uuid, toString(cityHash64(n, step, 11)), cityHash64(n, step, 12),
    ['call.initiated', 'push.sent', 'push.accepted', 'push.received', 'call.reported', 'call.answered', 'call.audio_activated', 'call.ended'][step],
    started_at + toIntervalMillisecond(step * 500), app_id, if(step IN (1, 3), NULL, concat('ios-', lower(hex(h1)))), 'ios', 0,
    concat('{"push_id":"', toString(call_uuid), '"}'), started_at + toIntervalMillisecond(step * 500 + late),
    concat('call-events/', toString(n % 6), '/', toString(n * 8 + step)), first_seen
FROM (SELECT *, arrayJoin(range(1, 9)) AS step FROM ({{call}}) WHERE n % 100 = 0)
SETTINGS max_partitions_per_insert_block = 0
