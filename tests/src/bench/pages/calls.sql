INSERT INTO calls_rows (
    tenant_id, first_seen, call_uuid, app_id, started_at, initiated_at, answered_at, connected_at, cancelled_at, ended_at,
    outcome, end_reason, legs, legs_violating, diagnoses, updated_at, version, deleted)
SELECT
    tenant_id, first_seen, call_uuid, app_id, started_at, if(initiated, started_at, NULL),
    if(call_outcome = 'answered', started_at + toIntervalMillisecond(900 + rang), NULL), NULL,
    if(call_outcome = 'cancelled', started_at + toIntervalMillisecond(20000), NULL),
    started_at + toIntervalMillisecond(900 + rang + talked), call_outcome,
    if(call_outcome = 'answered', 'remote_ended', NULL), callee_legs, 0, [], started_at + toIntervalMillisecond(120000), n, 0
FROM ({{call}})
SETTINGS max_partitions_per_insert_block = 0
