"""The official Python client, unmodified: python3 client.py PORT. Says "ok" at the end, or fails."""

import datetime
import sys

import clickhouse_connect
from clickhouse_connect.driver.exceptions import DatabaseError

client = clickhouse_connect.get_client(host="127.0.0.1", port=int(sys.argv[1]), user="default", password="s3cret")
assert client.ping() and client.server_version[0].isdigit()
client.command("CREATE TABLE py (id UInt64, s String, n Nullable(Int32), a Array(String), t DateTime64(3, 'UTC')) "
               "ENGINE = MergeTree ORDER BY id")
when = datetime.datetime(2026, 1, 2, 3, 4, 5, 678000)
rows = [[i, f"r\0{i}", i if i % 3 else None, ["x", str(i)], when] for i in range(20_000)]
for compress in ("lz4", "gzip", False):
    other = clickhouse_connect.get_client(host="127.0.0.1", port=int(sys.argv[1]), password="s3cret", compress=compress)
    other.command("TRUNCATE TABLE py")
    summary = other.insert("py", rows, column_names=["id", "s", "n", "a", "t"])
    assert summary.written_rows == len(rows), summary.summary
    result = other.query("SELECT id, s, n, a FROM py WHERE id < {to:UInt64} ORDER BY id", parameters={"to": 100},
                         settings={"max_threads": 2})
    assert [list(row) for row in result.result_rows] == [row[:4] for row in rows[:100]], compress
with client.query_row_block_stream("SELECT number FROM numbers(1000000)") as stream:
    assert sum(row[0] for block in stream for row in block) == 499_999_500_000
assert client.raw_query("SELECT 1 AS x", fmt="JSONEachRow") == b'{"x":1}\n'
client.raw_insert("py", ["id", "s"], b"90000,raw\n", fmt="CSV")
assert client.command("SELECT s FROM py WHERE id = 90000") == "raw"
try:
    client.query("SELECT * FROM no_such_table")
    raise AssertionError("no error")
except DatabaseError as error:
    assert "Code: 60" in str(error) or "code: 60" in str(error), error
try:
    clickhouse_connect.get_client(host="127.0.0.1", port=int(sys.argv[1]), password="wrong")
    raise AssertionError("no error")
except DatabaseError as error:
    assert "516" in str(error), error
print("ok")
