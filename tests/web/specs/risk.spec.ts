// Risk and alerts: what the alerter of `ringtrace up` makes of the simulated calls, and the ways from there to a call.
import type { Page } from '@playwright/test';
import { expect, settled, test } from '../src/test';

const BROKEN = 'com.acme.talk 5.3.0';

async function sql(page: Page, statement: string): Promise<void> {
  const url = `${process.env.RINGTRACE_TEST_CLICKHOUSE}/?database=ringtrace`;
  const answer = await page.request.post(url, { data: statement });
  expect(answer.ok(), await answer.text()).toBe(true);
}

test('the broken version is the worst on the board, with its reason and trend, and leads to its calls', async ({ page }) => {
  await page.goto('/risk');
  const bad = page.locator('.board-critical .card, .board-at_risk .card').filter({ hasText: BROKEN }).first();
  await expect(bad).toContainText(/\d+ of \d+ required reports/);
  await expect(bad).toContainText('since');
  await expect(bad.locator('.delta')).not.toBeEmpty();
  const columns = page.locator('.board-column');
  await expect(columns).toHaveCount(4);
  await expect(columns.last().getByRole('listitem').first()).toBeVisible();
  await bad.getByRole('link', { name: /violations? in 3 days/ }).click();
  await expect(page).toHaveURL(/app_version=5\.3\.0.*verdict=unreported/);
  await page.locator('.grid tbody th a').first().click();
  await expect(page.locator('.waterfall')).toBeVisible();
});

test('a filter that the board does not know waits, and says so', async ({ page }) => {
  await page.goto('/risk?app=com.acme.talk&app_version=5.3.0&carrier=x');
  await settled(page);
  await expect(page.getByText(/does not know.*carrier x/i)).toBeVisible();
  for (const text of await page.locator('.board .card').allTextContents()) expect(text).toContain('5.3.0');
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await expect(page.getByLabel('Filter by').locator('option')).toHaveCount(4);
});

test('devices at risk are listed the worst first, by level, and lead to their page', async ({ page }) => {
  const answer = await page.request.get('/api/v1/legs?verdict=unreported&limit=1');
  const { items } = (await answer.json()) as { items: { tenant_id: string; app_id: string; device_id: string; call_uuid: string }[] };
  const leg = items[0];
  if (!leg) throw new Error('the simulated world has no violation');
  // A level that no short simulation brings about.
  await sql(
    page,
    `INSERT INTO device_risk_rows (tenant_id, app_id, device_id, level, since, strikes, call_uuid, reason, log_clock, version)
     VALUES ('${leg.tenant_id}', '${leg.app_id}', '${leg.device_id}', 'suspected', now64(3) + 60, 2, '${leg.call_uuid}', 'Silent since two strikes.', now64(3), toUnixTimestamp64Milli(now64(3)) + 60000)`,
  );
  await page.goto('/risk?level=suspected');
  const table = page.getByRole('region', { name: 'Devices at risk: table' });
  await expect(table.locator('tbody tr').first()).toContainText('suspected');
  await expect(page.getByRole('button', { name: /suspected [1-9]/ })).toHaveAttribute('aria-pressed', 'true');
  const row = table.locator('tbody tr', { hasText: 'Silent since two strikes.' });
  await row.locator('th a').click();
  await expect(page.locator('.headline-bad .headline-text')).toContainText('suspected to have stopped waking');
  await expect(page.locator('.headline-note').first()).toContainText('Silent since two strikes.');
  await page.goBack();
  await page.getByLabel('Device id begins with').fill('no such device');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/q=no\+such\+device/);
  await expect(page.getByText('No device with these filters')).toBeVisible();
});

test('what fires is counted in the navigation, says what to do, and leads to the figures and to a call', async ({ page }) => {
  await page.goto('/alerts');
  const count = page.locator('nav .nav-count');
  await expect(count).toHaveText(/^[1-9]\d* firing$/);
  const now = page.getByRole('region', { name: 'Now' });
  const alert = now.locator('.alert-firing', { hasText: 'com.acme.talk' }).first();
  await expect(alert).toContainText(/\d+ of \d+/);
  await expect(alert.locator('details p').first()).toHaveText(/\w+ \w+/);
  await alert.getByRole('link', { name: /^Call / }).first().click();
  await expect(page.locator('.waterfall')).toBeVisible();
  await page.goBack();
  await alert.getByRole('link', { name: 'The figures of that time' }).click();
  await expect(page).toHaveURL(/\/(violations|delivery|answers)\?from=\d+&to=now&.*app=com\.acme\.talk/);
  await settled(page);
  await expect(page.locator('.state-error')).toHaveCount(0);
});

test('the history says what fired, for how long and who was told, by rule', async ({ page }) => {
  await page.goto('/alerts?from=now-1h');
  const history = page.getByRole('region', { name: 'History' });
  const first = history.locator('.alert').first();
  await expect(first).toContainText(/Fired .*(so far|after)/);
  await first.getByText('What to do, and who was told').click();
  await expect(first).toContainText('Nobody is on record as told');
  // At once: what fires meanwhile comes first.
  const rule = await first.locator('h3 a').evaluate((link: HTMLElement) => {
    link.click();
    return link.textContent;
  });
  await expect(page).toHaveURL(/rule=/);
  await expect(page.getByRole('button', { name: /Remove the filter rule/ })).toBeVisible();
  await expect(history.locator('h3 a').filter({ hasNotText: rule })).toHaveCount(0);
  await expect(history.locator('h3 a').first()).toHaveText(rule);
  await page.goto('/alerts?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z');
  await expect(history).toContainText('No alert fired in this range');
});
