-- A day's calls, drawn from the number of each: what `legs` and `calls` of it have in common. Shares, names and delays are
-- roughly those of services/simulator/world.toml; a delay is log-normal.
SELECT
    number AS n,
    cityHash64(n, 1) AS h1, cityHash64(n, 2) AS h2, cityHash64(n, 3) AS h3, cityHash64(n, 4) AS h4,
    reinterpret(bitOr(bitShiftLeft(toUInt128(h1), 64), toUInt128(h2)), 'UUID') AS call_uuid,
    -- An office and an evening peak, in several zones.
    [0,0,0,1,1,2,3,4,5,6,6,7,7,8,8,8,9,9,9,10,10,10,11,11,11,12,12,12,13,13,13,14,14,14,15,15,15,16,16,16,17,17,17,18,18,18,19,19,19,20,20,21,21,22,22,23,23,5,9,14,17,18,19,8][h3 % 64 + 1] AS hour,
    toInt64({{day}}) * 1000 + hour * 3600000 + intDiv(h3, 64) % 3600000 AS at,
    -- Some calls are known late: their first event was underway for minutes. None crosses midnight, so that a day is complete.
    least(if(h4 % 1000 < 5, intDiv(h4, 1000) % 3600000, 40), (toInt64({{day}}) + 86399) * 1000 - at) AS late,
    toDateTime(intDiv(at + late, 600000) * 600, 'UTC') AS first_seen,
    fromUnixTimestamp64Milli(at, 'UTC') AS started_at,
    multiIf(h1 % 100 < 60, 1, h1 % 100 < 80, 2, 3) AS app,
    ['default', 'globex', 'initech'][app] AS tenant_id,
    ['com.acme.talk', 'com.globex.care', 'net.initech.meet'][app] AS app_id,
    intDiv(h1, 100) % 1000 AS fate,
    multiIf(fate < 520, 'answered', fate < 700, 'unanswered', fate < 800, 'declined', fate < 890, 'cancelled', fate < 940, 'unreachable', fate < 965, 'busy', fate < 985, 'filtered', fate < 995, 'failed', 'unknown') AS call_outcome,
    intDiv(h1, 100000) % 10 < 9 AS initiated,
    multiIf(h2 % 100 < 78, 1, h2 % 100 < 95, 2, 3) AS callee_legs,
    toInt64(exp(11.2 + 1.1 * sqrt(-2 * log((h3 % 9973 + 1) / 9974)) * cos(6.2832 * (h4 % 9967) / 9967))) AS talked,
    toInt64(exp(8.8 + 0.55 * sqrt(-2 * log((h4 % 9949 + 1) / 9950)) * cos(6.2832 * (h3 % 9941) / 9941))) AS rang
FROM numbers({{calls}})
