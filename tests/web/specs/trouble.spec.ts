// What people see when something is wrong: no connection, no token, a question that can't be answered.
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, ringtrace, SCRATCH, stop, until } from '../src/process';
import { expect, settled, test } from '../src/test';

test.use({ quiet: false });

async function serve(port: number, more: string[] = []): Promise<ChildProcess> {
  const environment = {
    RINGTRACE_SERVE_LISTEN: `127.0.0.1:${port}`,
    RINGTRACE_HTTP_LISTEN: `127.0.0.1:${await freePort()}`,
    RINGTRACE_CLICKHOUSE_URL: process.env.RINGTRACE_TEST_CLICKHOUSE ?? '',
  };
  const child = ringtrace(['serve', ...more], environment, `serve-${port}.log`);
  await until('ringtrace serve', 30, async () => ((await fetch(`http://127.0.0.1:${port}/api/v1/openapi.json`)).status > 0 ? true : null));
  return child;
}

test('a lost connection: the page says so, keeps what it has, and goes on by itself', async ({ page }) => {
  test.setTimeout(120_000);
  const port = await freePort();
  let server = await serve(port);
  try {
    await page.goto(`http://127.0.0.1:${port}/?from=now-1h`);
    await settled(page);
    const calls = page.locator('.tile').first().locator('.tile-value');
    await expect(calls).toHaveText(/\d/);
    await stop(server);
    await expect(page.locator('.banner')).toContainText('No connection', { timeout: 30_000 });
    await expect(calls).toHaveText(/\d/);
    await expect(page.locator('.plot canvas').first()).toBeVisible();
    const refreshed = page.waitForResponse((response) => response.url().includes('/summary') && response.ok(), { timeout: 60_000 });
    server = await serve(port);
    await refreshed;
    await expect(page.locator('.banner')).toBeHidden();
    await expect(page.locator('.state-error, .state-note')).toHaveCount(0);
  } finally {
    await stop(server);
  }
});

test('a page that asks for a token takes it once, and puts it into no address', async ({ page }) => {
  const secret = 'a-token-of-this-test-only-0123456789abcdef';
  const sha256 = createHash('sha256').update(secret).digest('hex');
  mkdirSync(SCRATCH, { recursive: true });
  const config = join(SCRATCH, 'token.toml');
  writeFileSync(config, `[serve]\ntokens = [{ name = "reader", sha256 = "${sha256}", roles = ["read"], tenants = ["*"] }]\n`);
  const port = await freePort();
  const server = await serve(port, ['--config', config]);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  try {
    await page.goto(`http://127.0.0.1:${port}/violations`);
    await page.getByLabel('Token').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('alert')).toBeVisible();
    await page.getByLabel('Token').fill(secret);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.locator('h1')).toHaveText('Violations');
    await settled(page);
    await expect(page.locator('.matrix tbody tr').first()).toBeVisible();
    await page.reload();
    await expect(page.locator('h1')).toHaveText('Violations');
    await page.goto(`http://127.0.0.1:${port}/live`);
    await expect(page.getByText('connected')).toBeVisible();
    expect(asked.filter((url) => url.includes(secret))).toEqual([]);
  } finally {
    await stop(server);
  }
});

test('a question that can’t be answered is told in the API’s own words, with a way on', async ({ page }) => {
  await page.goto('/delivery?from=yesterday');
  const error = page.locator('.state-error').first();
  await expect(error).toContainText('from');
  await expect(error.getByRole('button', { name: 'Try again' })).toBeVisible();
});

test('a slow panel holds nobody up, and keeps its old picture while it asks again', async ({ page }) => {
  let slow = true;
  await page.route('**/api/v1/distribution*', async (route) => {
    if (slow) await new Promise((resume) => setTimeout(resume, 4_000));
    await route.continue().catch(() => undefined);
  });
  await page.goto('/delivery?from=now-1h');
  await expect(page.locator('.funnel')).toBeVisible();
  await expect(page.getByText(/Loading distribution/)).toBeVisible();
  await expect(page.locator('.plot-hist')).toBeVisible();
  slow = false;
  await page.route('**/api/v1/summary*', async (route) => {
    await new Promise((resume) => setTimeout(resume, 3_000));
    await route.continue().catch(() => undefined);
  });
  await page.getByLabel('Time range').selectOption('now-6h');
  await expect(page.locator('.panel[aria-busy=true] .funnel')).toBeVisible();
  await expect(page.locator('.panel[aria-busy=false] .funnel')).toBeVisible();
});

test('a failing panel says why and can be asked again, while the others work', async ({ page }) => {
  let broken = true;
  await page.route('**/api/v1/reasons*', (route) => {
    if (!broken) return route.continue();
    const problem = { type: 'about:blank', title: 'ClickHouse is away', status: 500, detail: 'It does not answer.' };
    return route.fulfill({ status: 500, contentType: 'application/problem+json', body: JSON.stringify(problem) });
  });
  await page.goto('/delivery');
  const error = page.locator('.state-error');
  await expect(error).toContainText('ClickHouse is away. It does not answer.');
  await expect(page.locator('.funnel')).toBeVisible();
  broken = false;
  await error.getByRole('button', { name: 'Try again' }).click();
  await expect(error).toHaveCount(0);
});
