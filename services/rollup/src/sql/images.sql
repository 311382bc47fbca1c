SELECT toUnixTimestamp(first_seen) AS slice, count() AS images, sum(version) AS versions
FROM (
    SELECT first_seen, version FROM legs_rows FINAL WHERE first_seen IN ({{slices}})
    UNION ALL
    SELECT first_seen, version FROM calls_rows FINAL WHERE first_seen IN ({{slices}})
)
GROUP BY first_seen
ORDER BY first_seen DESC
