// The official JavaScript client, unmodified: node client.js PORT. Says "ok" at the end, or fails.
'use strict'
const assert = require('node:assert/strict')
const { Readable } = require('node:stream')
const { createClient } = require('@clickhouse/client')

const connect = (more) => createClient({ url: `http://127.0.0.1:${process.argv[2]}`, password: 's3cret', ...more })

async function main() {
  const client = connect()
  assert.equal((await client.ping()).success, true)
  await client.command({ query: 'CREATE TABLE js (id UInt64, s String, a Array(String)) ENGINE = MergeTree ORDER BY id' })
  const row = (id) => ({ id: String(id), s: `r"'\t${id}`, a: ['x', String(id)] })
  for (const compression of [{ request: true, response: true }, {}]) {
    const other = connect({ compression })
    await other.command({ query: 'TRUNCATE TABLE js' })
    await other.insert({ table: 'js', values: Array.from({ length: 5000 }, (_, id) => row(id)), format: 'JSONEachRow' })
    const rest = Readable.from(Array.from({ length: 5000 }, (_, id) => row(id + 5000)))
    await other.insert({ table: 'js', values: rest, format: 'JSONEachRow' })
    const result = await other.query({
      query: 'SELECT * FROM js WHERE id < {to: UInt64} ORDER BY id',
      query_params: { to: 50 },
      format: 'JSONEachRow',
      clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
    })
    assert.deepEqual(await result.json(), Array.from({ length: 50 }, (_, id) => row(id)))
    const json = await (await other.query({ query: 'SELECT count() AS c FROM js', format: 'JSON' })).json()
    assert.equal(Number(json.data[0].c), 10000)
    await other.close()
  }
  let sum = 0
  const rows = await client.query({ query: 'SELECT number FROM numbers(200000)', format: 'JSONCompactEachRow' })
  for await (const part of rows.stream()) for (const one of part) sum += Number(one.json()[0])
  assert.equal(sum, 19999900000)
  await assert.rejects(client.query({ query: 'SELECT * FROM no_such_table' }), { code: '60', type: 'UNKNOWN_TABLE' })
  await assert.rejects(connect({ password: 'wrong' }).query({ query: 'SELECT 1' }), { code: '516' })
  await client.close()
  console.log('ok')
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
