-- What each page asks of the tables, one representative query a block: `-- PAGE: WHAT`. A range is {{from}} to {{to}} (seconds
-- since the Unix epoch), {{before}} and {{before_to}} the same a week earlier, {{step}} the seconds of a chart's bucket. The
-- queries of a page run side by side, as a browser asks for them.

-- overview: traffic, answer rate, violations beside the week before
SELECT
    bucket < {{from}} AS is_before, toStartOfInterval(bucket, toIntervalSecond({{step}})) AS time, sum(calls), sum(calls_answered),
    sum(calls_initiated), sum(answered_initiated), sum(calls_reached), sum(answered_reached), sum(legs_reported), sum(legs_unreported),
    sum(legs_reported_late + legs_filtered + legs_report_error), sum(push_attempts), sum(pushes_accepted)
FROM leg_stats
WHERE (bucket >= {{from}} AND bucket < {{to}} OR bucket >= {{before}} AND bucket < {{before_to}}) AND role != 'caller'
GROUP BY is_before, time ORDER BY is_before, time;

-- overview: apps at risk
SELECT tenant_id, app_id, app_version, sum(legs_unreported) AS violations,
    sum(legs_reported + legs_reported_late + legs_filtered + legs_report_error + legs_unreported) AS required
FROM leg_stats WHERE bucket >= {{from}} AND bucket < {{to}} AND role = 'callee'
GROUP BY tenant_id, app_id, app_version ORDER BY violations / required DESC LIMIT 20;

-- overview: delivery latency beside the week before
SELECT bucket < {{from}} AS is_before, sent_to_received_bin AS bin, count() FROM leg_facts
WHERE (bucket >= {{from}} AND bucket < {{to}} OR bucket >= {{before}} AND bucket < {{before_to}}) AND role = 'callee' AND sent_to_received_bin != 0
GROUP BY is_before, bin ORDER BY is_before, bin;

-- delivery: funnel and censored shares
SELECT toStartOfInterval(bucket, toIntervalSecond({{step}})) AS time, sum(legs), sum(legs_accepted), sum(legs_received), sum(legs_rung),
    sum(legs_answered), sum(received_2s), sum(received_5s), sum(received_10s), sum(received_30s)
FROM leg_stats
WHERE (bucket >= {{from}} AND bucket < {{to}} OR bucket >= {{before}} AND bucket < {{before_to}}) AND role = 'callee' GROUP BY time ORDER BY time;

-- delivery: heatmap of the latency
SELECT toStartOfInterval(bucket, toIntervalSecond({{step}})) AS time, intDiv(sent_to_received_bin, 20) AS row, count() FROM leg_facts
WHERE bucket >= {{from}} AND bucket < {{to}} AND role = 'callee' AND sent_to_received_bin != 0 GROUP BY time, row;

-- delivery: percentiles by stage
SELECT stage, bin, count() FROM (
    SELECT arrayJoin([(1, sent_to_accepted_bin), (2, accepted_to_received_bin), (3, received_to_reported_bin)]) AS pair, pair.1 AS stage, pair.2 AS bin
    FROM leg_facts WHERE bucket >= {{from}} AND bucket < {{to}} AND role = 'callee')
WHERE bin != 0 GROUP BY stage, bin;

-- delivery: rejections by reason
SELECT push_reject_reason, count() FROM leg_facts
WHERE bucket >= {{from}} AND bucket < {{to}} AND role = 'callee' AND push_reject_reason != '' GROUP BY push_reject_reason;

-- delivery: by carrier, which the roll-up does not have
SELECT carrier, count(), countIf(isNotNull(accepted_at)), countIf(isNotNull(received_at)) FROM leg_facts
WHERE bucket >= {{from}} AND bucket < {{to}} AND role = 'callee' GROUP BY carrier;

-- answers: outcomes over time
SELECT toStartOfInterval(bucket, toIntervalSecond({{step}})) AS time, sum(calls_answered), sum(calls_declined), sum(calls_unanswered),
    sum(calls_cancelled), sum(calls_busy), sum(calls_filtered), sum(calls_unreachable), sum(effective_reached), sum(calls_reached)
FROM leg_stats
WHERE (bucket >= {{from}} AND bucket < {{to}} OR bucket >= {{before}} AND bucket < {{before_to}}) AND role != 'caller' GROUP BY time ORDER BY time;

-- answers: ring time
SELECT reported_to_answered_bin AS bin, count() FROM leg_facts
WHERE bucket >= {{from}} AND bucket < {{to}} AND reported_to_answered_bin != 0 GROUP BY bin ORDER BY bin;

-- answers: by network, which the roll-up does not have
SELECT network, sum(leads_call), countIf(call_outcome = 'answered'), sum(call_reached) FROM leg_facts
WHERE bucket >= {{from}} AND bucket < {{to}} GROUP BY network;

-- violations: app version by OS version
SELECT app_id, app_version, os_major, sum(legs_unreported), sum(legs_confirmed),
    sum(legs_reported + legs_reported_late + legs_filtered + legs_report_error + legs_unreported)
FROM leg_stats
WHERE (bucket >= {{from}} AND bucket < {{to}} OR bucket >= {{before}} AND bucket < {{before_to}}) AND role = 'callee' AND platform = 'ios'
GROUP BY app_id, app_version, os_major;

-- violations: diagnoses
SELECT code, sum(count) FROM leg_stats ARRAY JOIN mapKeys(diagnoses) AS code, mapValues(diagnoses) AS count
WHERE bucket >= {{from}} AND bucket < {{to}} GROUP BY code;

-- violations: newest examples
SELECT tenant_id, call_uuid, device_id, started_at, evidence, app_version, os_version FROM leg_facts
WHERE bucket >= {{from}} AND bucket < {{to}} AND verdict = 'unreported' ORDER BY started_at DESC LIMIT 20;

-- calls: newest with a diagnosis
SELECT tenant_id, call_uuid, device_id, started_at, verdict, outcome FROM leg_facts
WHERE bucket >= {{from}} AND bucket < {{to}} AND has(diagnoses, 'late_push') ORDER BY started_at DESC, call_uuid LIMIT 50;

-- devices: legs of one device
SELECT call_uuid, started_at, verdict, outcome, diagnoses FROM legs_rows FINAL
WHERE device_id = '{{device}}' AND first_seen >= {{from}} AND first_seen < {{to}} ORDER BY started_at DESC LIMIT 50;

-- live: the last minutes
SELECT tenant_id, call_uuid, device_id, started_at, verdict, outcome, updated_at FROM leg_facts
WHERE bucket >= {{to}} - 1200 AND bucket < {{to}} ORDER BY updated_at DESC LIMIT 100;

-- call: events, legs and the call
SELECT count() FROM events_rows FINAL WHERE tenant_id = '{{tenant}}' AND call_uuid = '{{call_uuid}}';

-- call: its rows
SELECT * FROM legs_rows FINAL WHERE (tenant_id, first_seen, call_uuid) IN (
    SELECT tenant_id, first_seen, call_uuid FROM events_rows WHERE tenant_id = '{{tenant}}' AND call_uuid = '{{call_uuid}}');
