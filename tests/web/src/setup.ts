// One `ringtrace up` for all tests: simulated calls of the last quarter of an hour, the real linker, the embedded ClickHouse.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, ringtrace, stop, until } from './process';

/** So much must be linked before the first test begins. */
const LEGS = 2_500;

interface Figures {
  groups: { current: Record<string, number | null> }[];
}

export default async function setup(): Promise<() => Promise<void>> {
  const data = mkdtempSync(join(tmpdir(), 'ringtrace-web-'));
  const [web, health, clickhouse] = [await freePort(), await freePort(), await freePort()];
  const environment = {
    RINGTRACE_SERVE_LISTEN: `127.0.0.1:${web}`,
    RINGTRACE_HTTP_LISTEN: `127.0.0.1:${health}`,
  };
  const incidents = ['--incident', 'expired-certificate@5m,for=3m'];
  const engine = ringtrace(
    ['clickhouse', '--data', join(data, 'clickhouse'), '--listen', `127.0.0.1:${clickhouse}`],
    {},
    'clickhouse.log',
  );
  const clickhouseUrl = `http://127.0.0.1:${clickhouse}`;
  await until('ClickHouse', 60, async () => ((await fetch(`${clickhouseUrl}/ping`)).ok ? true : null));
  const up = ringtrace(
    ['up', '--data', data, '--seed', '7', '--calls-per-second', '4', '--clickhouse-url', clickhouseUrl, ...incidents],
    environment,
    'up.log',
  );
  const base = `http://127.0.0.1:${web}`;
  process.env.RINGTRACE_WEB = base;
  process.env.RINGTRACE_TEST_CLICKHOUSE = clickhouseUrl;
  const figures = await until('simulated calls', 180, async () => {
    const answer = await fetch(`${base}/api/v1/summary?from=now-1h`);
    if (!answer.ok) return null;
    const { groups } = (await answer.json()) as Figures;
    const current = groups[0]?.current ?? {};
    return (current.legs ?? 0) >= LEGS && (current.violations ?? 0) >= 1 ? current : null;
  });
  // Its alerter begins when the past is linked.
  await until('the first alert', 120, async () => {
    const answer = await fetch(`${base}/api/v1/alerts`);
    return answer.ok && ((await answer.json()) as { firing: number }).firing > 0 ? true : null;
  });
  console.log(`ringtrace up at ${base}: ${figures.legs} legs, ${figures.violations} violations`);
  return async () => {
    await stop(up);
    await stop(engine);
    rmSync(data, { recursive: true, force: true });
  };
}
