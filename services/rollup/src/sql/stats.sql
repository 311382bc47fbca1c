INSERT INTO leg_stats_rows (
    tenant_id, bucket, app_id, app_version, platform, os_major, country, channel, build_channel, role, first_seen, legs,
    legs_pending, legs_not_applicable, legs_rejected, legs_no_receipt, legs_exempt, legs_reported, legs_reported_late,
    legs_filtered, legs_report_error, legs_unreported, legs_confirmed, legs_accepted, legs_received, legs_rung, legs_answered,
    legs_talked, talk_ms, legs_sent, legs_reported_any, accepted_received, accepted_in_2s, accepted_in_5s, accepted_in_10s,
    accepted_in_30s, outcome_answered_elsewhere, outcome_declined, outcome_declined_elsewhere, outcome_busy, outcome_cancelled,
    outcome_filtered, outcome_failed, outcome_unanswered, outcome_unreachable, outcome_unknown, outcome_in_progress, received_2s,
    received_5s, received_10s, received_30s, push_attempts, pushes_accepted, calls,
    calls_answered, calls_declined, calls_busy, calls_cancelled, calls_filtered, calls_failed, calls_unanswered,
    calls_unreachable, calls_unknown, calls_in_progress, calls_initiated, calls_reached, calls_rung, answered_initiated,
    answered_reached, answered_rung, effective_reached, diagnoses, rejections, end_reasons, version)
SELECT
    tenant_id, bucket, app_id, app_version, platform, os_major, country, channel, build_channel, role, first_seen,
    countIf(role != 'none'),
    countIf(verdict = 'pending'), countIf(verdict = 'not_applicable'), countIf(verdict = 'rejected'),
    countIf(verdict = 'no_receipt'), countIf(verdict = 'exempt'), countIf(verdict = 'reported'),
    countIf(verdict = 'reported_late'), countIf(verdict = 'filtered'), countIf(verdict = 'report_error'),
    countIf(verdict = 'unreported'), countIf(evidence = 'confirmed'),
    countIf(isNotNull(accepted_at)), countIf(isNotNull(received_at)), countIf(isNotNull(reported_at)),
    countIf(outcome = 'answered'), countIf(isNotNull(talk_ms)), sum(ifNull(talk_ms, 0)),
    countIf(isNotNull(sent_at)), countIf(isNotNull(reported_at) OR verdict IN ('reported', 'reported_late')),
    countIf(isNotNull(accepted_at) AND isNotNull(received_at)),
    countIf(isNotNull(accepted_at) AND sent_to_received_ms <= 2000), countIf(isNotNull(accepted_at) AND sent_to_received_ms <= 5000),
    countIf(isNotNull(accepted_at) AND sent_to_received_ms <= 10000), countIf(isNotNull(accepted_at) AND sent_to_received_ms <= 30000),
    countIf(outcome = 'answered_elsewhere'), countIf(outcome = 'declined'), countIf(outcome = 'declined_elsewhere'),
    countIf(outcome = 'busy'), countIf(outcome = 'cancelled'), countIf(outcome = 'filtered'), countIf(outcome = 'failed'),
    countIf(outcome = 'unanswered'), countIf(outcome = 'unreachable'), countIf(outcome = 'unknown'), countIf(outcome = 'in_progress'),
    countIf(sent_to_received_ms <= 2000), countIf(sent_to_received_ms <= 5000), countIf(sent_to_received_ms <= 10000),
    countIf(sent_to_received_ms <= 30000), sum(push_attempts), sum(facts.pushes_accepted), sum(leads_call),
    countIf(call_outcome = 'answered'), countIf(call_outcome = 'declined'), countIf(call_outcome = 'busy'),
    countIf(call_outcome = 'cancelled'), countIf(call_outcome = 'filtered'), countIf(call_outcome = 'failed'),
    countIf(call_outcome = 'unanswered'), countIf(call_outcome = 'unreachable'), countIf(call_outcome = 'unknown'),
    countIf(call_outcome = 'in_progress'), sum(call_initiated), sum(call_reached), sum(call_rung),
    countIf(call_initiated AND call_outcome = 'answered'), countIf(call_reached AND call_outcome = 'answered'),
    countIf(call_rung AND call_outcome = 'answered'),
    countIf(call_reached AND call_outcome IN ('answered', 'declined', 'unanswered', 'busy', 'filtered')),
    CAST(sumMap(facts.diagnoses, arrayWithConstant(length(facts.diagnoses), toUInt64(1))), 'Map(LowCardinality(String), UInt64)'),
    CAST(sumMapIf([facts.push_reject_reason], [toUInt64(1)], facts.push_reject_reason != ''), 'Map(LowCardinality(String), UInt64)'),
    CAST(sumMapIf([facts.end_reason], [toUInt64(1)], facts.end_reason != ''), 'Map(LowCardinality(String), UInt64)'),
    version
FROM leg_facts_rows AS facts
WHERE first_seen IN ({{slices}})
    AND version IN (SELECT cityHash64(toUInt64({{pass}}), toDateTime(arrayJoin([{{slices}}]), 'UTC')))
GROUP BY
    tenant_id, bucket, app_id, app_version, platform, os_major, country, channel, build_channel, role, first_seen, version
