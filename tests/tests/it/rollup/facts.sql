-- What `leg_facts` must hold, from `legs` and `calls` alone, and written otherwise than the roller does it.
WITH
    ranked AS (
        SELECT
            *,
            row_number() OVER (
                PARTITION BY tenant_id, call_uuid, role
                ORDER BY outcome != 'answered', if(outcome = 'answered', answered_at, started_at), device_id
            ) AS place,
            maxIf(1, accepted_at IS NOT NULL OR received_at IS NOT NULL OR channel = 'socket') OVER of_role AS any_reached,
            maxIf(1, reported_at IS NOT NULL OR verdict = 'reported' OR verdict = 'reported_late') OVER of_role AS any_rung
        FROM legs_rows FINAL
        WINDOW of_role AS (PARTITION BY tenant_id, call_uuid, role)
    ),
    c AS (SELECT * FROM calls_rows FINAL)
SELECT
    l.tenant_id AS tenant_id, l.call_uuid AS call_uuid, l.device_id AS device_id, l.first_seen AS first_seen, l.app_id AS app_id, l.role AS role,
    l.started_at AS started_at, coalesce(l.platform, '') AS platform, coalesce(l.os_version, '') AS os_version, l.os_major AS os_major,
    coalesce(l.app_version, '') AS app_version, coalesce(l.sdk_version, '') AS sdk_version,
    coalesce(l.device_model, '') AS device_model, coalesce(l.country, '') AS country, coalesce(l.carrier, '') AS carrier,
    coalesce(l.network, '') AS network, coalesce(l.channel, '') AS channel, coalesce(l.build_channel, '') AS build_channel,
    coalesce(l.environment, '') AS environment, coalesce(l.call_ui, '') AS call_ui, l.verdict AS verdict,
    coalesce(l.evidence, '') AS evidence, l.outcome AS outcome, coalesce(l.end_reason, '') AS end_reason, l.diagnoses AS diagnoses,
    l.push_attempts AS push_attempts, l.pushes_accepted AS pushes_accepted, coalesce(l.push_reject_reason, '') AS push_reject_reason,
    coalesce(l.app_state, '') AS app_state, l.sent_at AS sent_at, l.accepted_at AS accepted_at, l.received_at AS received_at,
    l.reported_at AS reported_at, l.answered_at AS answered_at, l.ended_at AS ended_at, l.sent_to_accepted_ms AS sent_to_accepted_ms,
    l.accepted_to_received_ms AS accepted_to_received_ms, l.sent_to_received_ms AS sent_to_received_ms,
    l.received_to_reported_ms AS received_to_reported_ms, l.reported_to_answered_ms AS reported_to_answered_ms,
    l.answered_to_audio_ms AS answered_to_audio_ms, l.initiated_to_reported_ms AS initiated_to_reported_ms, l.talk_ms AS talk_ms,
    l.updated_at AS updated_at, l.role = 'callee' AND l.place = 1 AS leads_call, if(leads_call, c.outcome, '') AS call_outcome,
    leads_call AND c.initiated_at IS NOT NULL AS call_initiated, leads_call AND l.any_reached AS call_reached,
    leads_call AND l.any_rung AS call_rung, if(leads_call, c.legs, 0) AS call_legs
FROM ranked AS l
INNER JOIN c ON l.tenant_id = c.tenant_id AND l.call_uuid = c.call_uuid
UNION ALL
SELECT
    tenant_id, call_uuid, '', first_seen, app_id, 'none', started_at, '', '', 0, '', '', '', '', '', '', '', '', '', '', '', '', '', '', [],
    0, 0, '', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, updated_at, 1, outcome,
    initiated_at IS NOT NULL, 0, 0, legs
FROM c
WHERE (tenant_id, call_uuid) NOT IN (SELECT tenant_id, call_uuid FROM ranked WHERE role = 'callee')
