-- What an alerter would have left, of two tenants and of the pipeline. Statements end with a line of two dashes.
-- Versions are times: rows of risk end with their retention.
INSERT INTO app_risk_rows (tenant_id, app_id, app_version, os_major, level, since, reason, required, violations, confirmed, log_clock, version) VALUES
    ('default', 'com.acme.talk', '3.1.0', '26', 'ok', '2026-11-01 06:00:00', 'nothing', 10, 0, 0, '2026-11-01 06:30:00', 1793525400001),
    ('default', 'com.acme.talk', '3.1.0', '26', 'watch', '2026-11-01 06:50:00', 'a little', 50, 1, 1, '2026-11-01 07:30:00', 1793525400002),
    ('default', 'com.acme.talk', '3.1.0', '26', 'critical', '2026-11-01 08:30:00', 'far too much', 400, 40, 30, '2026-11-01 09:00:00', 1793525400003),
    ('default', 'com.acme.talk', '3.1.0', '26', 'critical', '2026-11-01 08:30:00', 'far too much: 44 of 420', 420, 44, 33, '2026-11-01 09:30:00', 1793525400004),
    ('default', 'com.acme.talk', '3.0.0', '18', 'ok', '2026-11-01 06:00:00', 'nothing', 900, 0, 0, '2026-11-01 09:30:00', 1793525400004),
    ('default', 'com.acme.talk', '3.0.0', '26', 'watch', '2026-11-01 07:10:00', 'a little', 800, 2, 0, '2026-11-01 09:30:00', 1793525400004),
    ('globex', 'com.globex.care', '1.0.0', '26', 'at_risk', '2026-11-01 07:10:00', 'too much', 100, 4, 2, '2026-11-01 09:30:00', 1793525400004)
--
INSERT INTO device_risk_rows (tenant_id, app_id, device_id, level, since, strikes, last_strike_at, silent, silent_since, suspected_at, call_uuid, reason, log_clock, version)
SELECT if(number % 4 = 0, 'globex', 'default'), if(number % 4 = 0, 'com.globex.care', 'com.acme.talk'), concat('risky-', toString(number)),
    ['ok', 'watch', 'at_risk', 'critical', 'suspected'][number % 5 + 1], toDateTime64('2026-11-01 08:00:00', 3, 'UTC') + intDiv(number, 10),
    number % 5, if(number % 5 = 0, NULL, toDateTime64('2026-11-01 07:59:00', 3, 'UTC')), 0, NULL, NULL,
    if(number % 5 = 0, '', '00000000-0000-4000-8000-000000000001'), 'a reason', '2026-11-01 09:30:00', 1793525400004
FROM numbers(100)
--
INSERT INTO device_risk_rows (tenant_id, app_id, device_id, level, since, strikes, call_uuid, reason, log_clock, version) VALUES
    ('default', 'com.acme.talk', 'risky-1', 'ok', '2026-11-01 09:00:00', 0, '', 'installed anew', '2026-11-01 09:30:00', 1793525400005)
--
INSERT INTO alert_states_rows (fingerprint, rule, severity, labels, state, since, fired_at, summary, examples, version) VALUES
    ('aa01', 'credential-errors', 'page', {'tenant_id': 'default', 'app_id': 'com.acme.talk', 'channel': 'apns_voip'}, 'firing', '2026-11-01 08:20:00',
     '2026-11-01 08:20:00', 'All pushes are refused.', '[{"call_uuid":"00000000-0000-4000-8000-000000000001","device_id":"","at":1793520000000}]', 1),
    ('aa02', 'telemetry-coverage', 'page', {'tenant_id': 'default', 'app_id': 'com.acme.talk'}, 'firing', '2026-11-01 08:40:00', '2026-11-01 08:45:00', 'Half of it is missing.', '[]', 1),
    ('aa03', 'delivery-missing', 'ticket', {'tenant_id': 'default', 'app_id': 'com.acme.talk', 'country': 'DE'}, 'pending', '2026-11-01 08:50:00', NULL, 'Many are missing.', '[]', 1),
    ('aa04', 'ghost-calls', 'ticket', {'tenant_id': 'globex', 'app_id': 'com.globex.care'}, 'firing', '2026-11-01 09:00:00', '2026-11-01 09:00:00', 'Some rang too late.', '[]', 1),
    ('aa05', 'pipeline-behind', 'page', {}, 'firing', '2026-11-01 09:10:00', '2026-11-01 09:10:00', 'The pipeline is behind.', '[]', 1),
    ('aa06', 'a-rule-of-old', 'page', {'tenant_id': 'default'}, 'resolved', '2026-11-01 05:00:00', '2026-11-01 05:00:00', 'Long ago.', '[]', 1)
--
INSERT INTO alert_changes_rows (fingerprint, rule, severity, labels, state, at, summary, found_late_ms, examples, written_at)
SELECT 'aa01', 'credential-errors', 'page', map('tenant_id', 'default', 'app_id', 'com.acme.talk', 'channel', 'apns_voip'),
    if(number % 2 = 0, 'firing', 'resolved'), toDateTime64('2026-11-01 05:50:00', 3, 'UTC') + number * 600, 'All pushes are refused.', 0, '[]', now64(3)
FROM numbers(16)
--
INSERT INTO alert_changes_rows (fingerprint, rule, severity, labels, state, at, summary, found_late_ms, examples, written_at) VALUES
    ('aa01', 'credential-errors', 'page', {'tenant_id': 'default', 'app_id': 'com.acme.talk', 'channel': 'apns_voip'}, 'firing', '2026-11-01 08:40:00', 'All pushes are refused.', 0,
     '[{"call_uuid":"00000000-0000-4000-8000-000000000001","device_id":"iphone","at":1793520000000}]', now64(3)),
    ('aa04', 'ghost-calls', 'ticket', {'tenant_id': 'globex', 'app_id': 'com.globex.care'}, 'firing', '2026-11-01 09:00:00', 'Some rang too late.', 600000, '[]', now64(3)),
    ('aa05', 'pipeline-behind', 'page', {}, 'firing', '2026-11-01 09:10:00', 'The pipeline is behind.', 0, '[]', now64(3))
--
INSERT INTO alert_deliveries_rows (receiver, fingerprint, fired_at, state, version) VALUES
    ('on-call', 'aa01', '2026-11-01 08:40:00', 'firing', 1793522400500),
    ('chat', 'aa01', '2026-11-01 08:40:00', 'owed', 1793522400000),
    ('on-call', 'aa04', '2026-11-01 01:00:00', 'resolved', 1793500000000)
--
INSERT INTO alert_clock_rows (one, log_clock, instance, version) VALUES (1, '2026-11-01 09:30:00', '', 1793525401000)
