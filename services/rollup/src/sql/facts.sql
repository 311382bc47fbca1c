-- `reach` is what the callee legs of a call say together, `facts` the call's row with it. A call's facts are joined to its
-- leading leg alone; calls without callee legs are added as rows of their own.
INSERT INTO leg_facts_rows (
    tenant_id, bucket, app_id, started_at, first_seen, call_uuid, device_id, role, platform, os_version, os_major, app_version,
    sdk_version, device_model, country, carrier, network, channel, build_channel, environment, call_ui, verdict, evidence,
    outcome, end_reason, diagnoses, push_attempts, pushes_accepted, push_reject_reason, app_state, sent_at, accepted_at,
    received_at, reported_at, answered_at, ended_at, sent_to_accepted_ms, accepted_to_received_ms, sent_to_received_ms,
    received_to_reported_ms, reported_to_answered_ms, answered_to_audio_ms, initiated_to_reported_ms, talk_ms, updated_at,
    leads_call, call_outcome, call_initiated, call_reached, call_rung, call_legs, version)
WITH
    reach AS (
        SELECT
            tenant_id, call_uuid,
            argMin(device_id, (outcome != 'answered', if(outcome = 'answered', ifNull(answered_at, started_at), started_at), device_id)) AS leader,
            max(isNotNull(accepted_at) OR isNotNull(received_at) OR ifNull(channel = 'socket', 0)) AS reached,
            max(verdict IN ('reported', 'reported_late') OR isNotNull(reported_at)) AS rung
        FROM legs_rows FINAL
        WHERE first_seen IN ({{slices}}) AND role = 'callee'
        GROUP BY tenant_id, call_uuid
    ),
    facts AS (
        SELECT
            1 AS leads, c.tenant_id AS tenant_id, c.call_uuid AS call_uuid, r.leader AS leader, c.first_seen AS first_seen,
            c.app_id AS app_id, c.started_at AS started_at, c.updated_at AS updated_at, c.outcome AS outcome,
            isNotNull(c.initiated_at) AS initiated, r.reached AS reached, r.rung AS rung, c.legs AS legs
        FROM (SELECT * FROM calls_rows FINAL WHERE first_seen IN ({{slices}})) AS c
        GLOBAL LEFT JOIN reach AS r ON c.tenant_id = r.tenant_id AND c.call_uuid = r.call_uuid
    )
SELECT
    l.tenant_id, toStartOfTenMinutes(toDateTime(l.started_at, 'UTC')), l.app_id, l.started_at, l.first_seen, l.call_uuid,
    l.device_id, l.role, ifNull(l.platform, ''), ifNull(l.os_version, ''), l.os_major, ifNull(l.app_version, ''),
    ifNull(l.sdk_version, ''), ifNull(l.device_model, ''), ifNull(l.country, ''), ifNull(l.carrier, ''),
    ifNull(l.network, ''), ifNull(l.channel, ''), ifNull(l.build_channel, ''), ifNull(l.environment, ''),
    ifNull(l.call_ui, ''), l.verdict, ifNull(l.evidence, ''), l.outcome, ifNull(l.end_reason, ''), l.diagnoses,
    l.push_attempts, l.pushes_accepted, ifNull(l.push_reject_reason, ''), ifNull(l.app_state, ''), l.sent_at, l.accepted_at,
    l.received_at, l.reported_at, l.answered_at, l.ended_at, l.sent_to_accepted_ms, l.accepted_to_received_ms,
    l.sent_to_received_ms, l.received_to_reported_ms, l.reported_to_answered_ms, l.answered_to_audio_ms,
    l.initiated_to_reported_ms, l.talk_ms, l.updated_at, f.leads, f.outcome, f.initiated, f.reached, f.rung, f.legs,
    cityHash64(toUInt64({{pass}}), l.first_seen)
FROM (SELECT * FROM legs_rows FINAL WHERE first_seen IN ({{slices}})) AS l
GLOBAL LEFT JOIN (SELECT * FROM facts WHERE leader != '') AS f
    ON l.tenant_id = f.tenant_id AND l.call_uuid = f.call_uuid AND l.device_id = f.leader
UNION ALL
SELECT
    tenant_id, toStartOfTenMinutes(toDateTime(started_at, 'UTC')), app_id, started_at, first_seen, call_uuid,
    '', 'none', '', '', 0, '', '', '', '', '', '', '', '', '', '', '', '', '', '', [], 0, 0, '', '', NULL, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, updated_at, leads, outcome, initiated, reached, rung, legs,
    cityHash64(toUInt64({{pass}}), first_seen)
FROM facts
WHERE leader = ''
