// What `make bench-pages` asks is what pages ask: tests/src/bench/pages/requests.txt lists it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../src/process';
import { aViolation, expect, PAGES, settled, test } from '../src/test';

const FILE = join(ROOT, 'tests/src/bench/pages/requests.txt');

/** Pages that ask ClickHouse for a range, or for one thing. */
const MEASURED = PAGES.map(([path]) => path).filter((path) => path !== '/live' && path !== '/api');

function listed(page: string): string[] {
  const lines = readFileSync(FILE, 'utf8').split('\n');
  return lines.filter((line) => line.startsWith(`${page} `)).map((line) => line.slice(page.length + 1));
}

test('the benchmark of pages asks what they ask', async ({ page }) => {
  const leg = await aViolation(page);
  const about = (text: string) =>
    text
      .replaceAll(leg.call_uuid, '{call}')
      .replaceAll(encodeURIComponent(leg.device_id), '{device}')
      .replace(/tenant_id=[^&]*/, 'tenant_id={tenant}');
  const addresses = [
    ...MEASURED,
    '/calls?view=legs',
    `/calls/${leg.call_uuid}?tenant_id=${leg.tenant_id}`,
    `/devices/${encodeURIComponent(leg.device_id)}?tenant_id=${leg.tenant_id}`,
  ];
  for (const address of addresses) {
    const asked = new Set<string>();
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (!url.pathname.startsWith('/api/v1/') || url.pathname.endsWith('/live')) return;
      const timed = url.searchParams.has('from') || url.searchParams.has('to');
      url.searchParams.delete('from');
      url.searchParams.delete('to');
      const query = [timed ? '{range}' : '', url.searchParams.toString()].filter((part) => part !== '').join('&');
      asked.add(about(url.pathname.slice('/api/v1'.length) + (query === '' ? '' : `?${query}`)));
    });
    await page.goto(address);
    await settled(page);
    page.removeAllListeners('request');
    const name = about(address);
    expect([...asked].sort().map((request) => `${name} ${request}`)).toEqual(
      listed(name).sort().map((request) => `${name} ${request}`),
    );
  }
});
