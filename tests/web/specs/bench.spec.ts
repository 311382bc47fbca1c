// What `make bench-pages` asks is what pages ask: tests/src/bench/pages/requests.txt lists it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, SCRATCH } from '../src/process';
import { aViolation, expect, PAGES, settled, test } from '../src/test';

const FILE = join(ROOT, 'tests/src/bench/pages/requests.txt');

/** Pages that ask for nothing stored, or Kafka. */
const UNMEASURED = ['/live', '/api', '/pipeline'];

test('the benchmark of pages asks what they ask', async ({ page }) => {
  const leg = await aViolation(page);
  const about = (text: string) =>
    text
      .replaceAll(leg.call_uuid, '{call}')
      .replaceAll(encodeURIComponent(leg.device_id), '{device}')
      .replace(/\btenant(_id)?=[^&]*/, 'tenant$1={tenant}');
  const addresses = [
    ...PAGES.map(([path]) => path).filter((path) => !UNMEASURED.includes(path)),
    '/calls?view=legs',
    `/calls/${leg.call_uuid}?tenant_id=${leg.tenant_id}`,
    `/devices/${encodeURIComponent(leg.device_id)}?tenant_id=${leg.tenant_id}`,
  ];
  const lines: string[] = [];
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
    // A range other than the default one is told to the API.
    await page.goto(`${address}${address.includes('?') ? '&' : '?'}from=now-30d`);
    await settled(page);
    page.removeAllListeners('request');
    lines.push(...[...asked].sort().map((request) => `${about(address)} ${request}`));
  }
  // What has changed in a page can be taken from here.
  writeFileSync(join(SCRATCH, 'requests.txt'), lines.map((line) => `${line}\n`).join(''));
  const listed = readFileSync(FILE, 'utf8').split('\n');
  expect(listed.filter((line) => line !== '' && !line.startsWith('#'))).toEqual(lines);
});
