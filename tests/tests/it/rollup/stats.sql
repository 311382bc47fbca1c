-- What the sums of `leg_stats` must be, by all of its dimensions.
SELECT
    tenant_id, toStartOfInterval(started_at, INTERVAL 10 MINUTE) AS bucket, app_id, app_version, platform, os_major, country, channel, build_channel, role,
    sum(role != 'none') AS legs, sum(verdict = 'pending') AS legs_pending, sum(verdict = 'not_applicable') AS legs_not_applicable,
    sum(verdict = 'rejected') AS legs_rejected, sum(verdict = 'no_receipt') AS legs_no_receipt,
    sum(verdict = 'exempt') AS legs_exempt, sum(verdict = 'reported') AS legs_reported,
    sum(verdict = 'reported_late') AS legs_reported_late, sum(verdict = 'filtered') AS legs_filtered,
    sum(verdict = 'report_error') AS legs_report_error, sum(verdict = 'unreported') AS legs_unreported,
    sum(verdict = 'unreported' AND evidence = 'confirmed') AS legs_confirmed, count(accepted_at) AS legs_accepted,
    count(received_at) AS legs_received, count(reported_at) AS legs_rung, sum(outcome = 'answered') AS legs_answered,
    count(facts.talk_ms) AS legs_talked, toUInt64(ifNull(sum(facts.talk_ms), 0)) AS talk_ms,
    countIf(sent_to_received_ms < 2001) AS received_2s, countIf(sent_to_received_ms < 5001) AS received_5s,
    countIf(sent_to_received_ms < 10001) AS received_10s, countIf(sent_to_received_ms < 30001) AS received_30s,
    sum(facts.push_attempts) AS push_attempts, sum(facts.pushes_accepted) AS pushes_accepted, sum(leads_call) AS calls,
    sum(call_outcome = 'answered') AS calls_answered, sum(call_outcome = 'declined') AS calls_declined,
    sum(call_outcome = 'busy') AS calls_busy, sum(call_outcome = 'cancelled') AS calls_cancelled,
    sum(call_outcome = 'filtered') AS calls_filtered, sum(call_outcome = 'failed') AS calls_failed,
    sum(call_outcome = 'unanswered') AS calls_unanswered, sum(call_outcome = 'unreachable') AS calls_unreachable,
    sum(call_outcome = 'unknown') AS calls_unknown, sum(call_outcome = 'in_progress') AS calls_in_progress,
    sum(call_initiated) AS calls_initiated, sum(call_reached) AS calls_reached, sum(call_rung) AS calls_rung,
    sum(call_initiated * (call_outcome = 'answered')) AS answered_initiated,
    sum(call_reached * (call_outcome = 'answered')) AS answered_reached,
    sum(call_rung * (call_outcome = 'answered')) AS answered_rung,
    sum(call_reached * (call_outcome = 'answered' OR call_outcome = 'declined' OR call_outcome = 'unanswered' OR call_outcome = 'busy' OR call_outcome = 'filtered')) AS effective_reached,
    arraySort(groupArrayArray(facts.diagnoses)) AS diagnoses
FROM ({{facts}}) AS facts
GROUP BY tenant_id, bucket, app_id, app_version, platform, os_major, country, channel, build_channel, role
