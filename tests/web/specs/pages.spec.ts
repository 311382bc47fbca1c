// Each page shows what it is for, from real data.
import { allPages, aViolation, expect, PAGES, settled, test } from '../src/test';

for (const [path, title] of PAGES) {
  test(`${title} has its heading and every panel its answer`, async ({ page }) => {
    await page.goto(path);
    await settled(page);
    await expect(page.locator('h1')).toHaveText(title);
    await expect(page).toHaveTitle(`${title} · Ringtrace`);
    await expect(page.locator('.state-error')).toHaveCount(0);
    // Alerts has its count beside its name.
    await expect(page.locator('nav a[aria-current=page]')).toContainText(title);
  });
}

test('the Overview says in words which app version violates, and puts it on top', async ({ page }) => {
  await page.goto('/');
  await expect(page.locator('.headline-bad .headline-text')).toContainText('com.acme.talk 5.3.0');
  await expect(page.locator('.headline-bad .headline-note').first()).toContainText('required reports');
  const first = page.getByRole('region', { name: 'Apps at risk' }).locator('tbody tr').first();
  await expect(first).toContainText('5.3.0');
  await expect(first).toContainText(/critical|at risk/);
  for (const label of ['Calls', 'Violation rate', 'Answered, of reached', 'Push to device, p95', 'Telemetry coverage']) {
    const tile = page.locator('.tile', { hasText: label }).first();
    await expect(tile.locator('.tile-value')).toHaveText(/\d/);
  }
});

test('every figure says how it is computed', async ({ page }) => {
  await page.goto('/');
  await settled(page);
  const panel = page.locator('.panel', { hasText: 'Answer rate' }).last();
  await panel.getByText('How this is computed').click();
  await expect(panel.locator('.how dd')).not.toBeEmpty();
});

test('Delivery: the funnel narrows, and what stayed behind leads to those legs', async ({ page }) => {
  await page.goto('/delivery');
  await settled(page);
  const rows = page.locator('.funnel tbody tr');
  await expect(rows).toHaveCount(5);
  const legs = (await rows.locator('td:nth-child(2)').allTextContents()).map((text) => Number(text.replaceAll(/\s/g, '')));
  expect(legs.slice(0, 3)).toEqual([...legs.slice(0, 3)].sort((a, b) => b - a));
  await rows.nth(2).locator('td').last().getByRole('link').click();
  await expect(page).toHaveURL(/stage_reached=accepted.*stage_missing=received/);
  await expect(page.locator('table tbody tr').first()).toBeVisible();
});

test('Delivery: another stage is in the address, and every panel of it follows', async ({ page }) => {
  await page.goto('/delivery');
  await page.getByLabel('Stage', { exact: true }).selectOption('received_to_reported');
  await expect(page).toHaveURL(/stage=received_to_reported/);
  await expect(page.getByRole('heading', { name: 'Distribution, received → reported' })).toBeVisible();
  await settled(page);
  await expect(page.locator('.state-error')).toHaveCount(0);
});

test('Violations: the matrix shades the broken version, and a field leads to its legs', async ({ page }) => {
  await page.goto('/violations');
  const row = page.locator('.matrix tbody tr', { hasText: '5.3.0' });
  const shaded = row.locator('td.level-1, td.level-2, td.level-3').first();
  await expect(shaded).toBeVisible();
  await shaded.getByRole('link').click();
  await expect(page).toHaveURL(/app_version=5\.3\.0.*verdict=unreported/);
  await expect(page.locator('.grid tbody tr').first()).toContainText('unreported');
});

test('Violations: a diagnosis has its cause, its remedy and the vendor’s page', async ({ page }) => {
  await page.goto('/violations');
  await settled(page);
  const row = page.locator('.panel', { hasText: 'Diagnoses' }).locator('tr', { hasText: 'push unreported' });
  await row.getByText('Cause and remedy').click();
  await expect(row.getByText('Cause.')).toBeVisible();
  await expect(row.getByText('Remedy.')).toBeVisible();
  await expect(row.getByRole('link', { name: /Apple/ })).toHaveAttribute('href', /^https:\/\/developer\.apple\.com\//);
});

test('a call shows the rule that decided, the advice, the waterfall and every event', async ({ page }) => {
  const leg = await aViolation(page);
  const answer = await page.request.get(`/api/v1/calls/${leg.call_uuid}?tenant=${leg.tenant_id}`);
  const detail = (await answer.json()) as {
    events: unknown[];
    legs: { device_id: string; decision: { line: number; reason: string } }[];
  };
  await page.goto(`/calls/${leg.call_uuid}?tenant_id=${leg.tenant_id}`);
  // It may have other legs, and the page has those of the callees first.
  const section = page.locator('section', { has: page.locator('.verdict-row') }).filter({ hasText: leg.device_id });
  await expect(section.locator('.verdict-row')).toContainText(/unreported, (confirmed|probable)/);
  const decision = detail.legs.find((other) => other.device_id === leg.device_id)?.decision;
  await expect(section.locator('.decision')).toContainText(`Rule ${decision?.line} ${decision?.reason}`);
  await expect(page.locator('.advice-card').first()).toContainText('Remedy.');
  await expect(page.locator('.waterfall tbody tr:not(.lane-head)')).toHaveCount(detail.events.length);
  await expect(page.getByRole('region', { name: 'Events' }).locator('tbody > tr')).toHaveCount(detail.events.length);
  await page.getByRole('button', { name: 'True proportions' }).click();
  await expect(page).toHaveURL(/scale=linear/);
});

test('a device shows its strikes and whether it is still woken', async ({ page }) => {
  const leg = await aViolation(page);
  await page.goto(`/devices/${encodeURIComponent(leg.device_id)}?tenant_id=${leg.tenant_id}`);
  await expect(page.locator('.headline-text')).toContainText(/waking|watching|risk/);
  const strikes = page.locator('.panel', { hasText: 'Strikes' }).first();
  await expect(strikes.locator('tbody tr').first()).toContainText('unreported');
  for (const title of ['Push tokens', 'Permissions', 'Call directory', 'Recent legs', 'Device events']) {
    await expect(page.getByRole('heading', { name: title })).toBeVisible();
  }
});

test('Live shows legs as they happen, holds still while paused, and keeps to the filters', async ({ page }) => {
  await page.goto('/live');
  await expect(page.getByText('connected')).toBeVisible();
  await expect(page.locator('.grid tbody tr').first()).toBeVisible({ timeout: 30_000 });
  await page.getByRole('button', { name: 'Pause' }).click();
  const held = await page.locator('.grid tbody').textContent();
  await expect(page.getByText(/since the pause/)).toBeVisible({ timeout: 30_000 });
  expect(await page.locator('.grid tbody').textContent()).toBe(held);
  await page.getByRole('button', { name: 'Go on' }).click();
  await expect(page.locator('.grid tbody')).not.toHaveText(held ?? '');
  await page.goto('/live?platform=android');
  await expect(page.locator('.grid tbody tr').first()).toBeVisible({ timeout: 30_000 });
  await expect(page.locator('.grid tbody tr', { hasText: 'ios' })).toHaveCount(0);
});

test('Pipeline shows every slot, throughput and what is stored', async ({ page }) => {
  await page.goto('/pipeline?from=now-1h');
  await settled(page);
  await expect(page.getByRole('region', { name: 'Slots' }).locator('tbody tr').first()).toBeVisible();
  await expect(page.locator('.badge', { hasText: 'up to date' })).toBeVisible();
  await expect(page.locator('.panel', { hasText: 'Throughput' }).locator('canvas').first()).toBeVisible();
  await expect(page.locator('.panel', { hasText: 'Stored' }).locator('tr', { hasText: 'legs' }).first()).toContainText(/\d/);
});

test('the API page renders every operation of the document that the binary serves', async ({ page }) => {
  const document = (await (await page.request.get('/api/v1/openapi.json')).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const operations = Object.values(document.paths).flatMap((path) => Object.keys(path).filter((name) => name === 'get'));
  await page.goto('/api');
  await expect(page.locator('.panel .method')).toHaveCount(operations.length);
});

test('an address that names nothing says so', async ({ page }) => {
  await page.goto('/nothing');
  await expect(page.locator('h1')).toHaveText('No such page');
});

test('all of it fits a phone', async ({ page }) => {
  test.setTimeout(120_000);
  await page.setViewportSize({ width: 390, height: 844 });
  for (const path of await allPages(page)) {
    await page.goto(path);
    await settled(page);
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(beyond, `${path} is wider than the screen`).toBeLessThanOrEqual(0);
  }
});

test('on a phone the menu leads to the pages', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('/?from=now-1h');
  await expect(page.getByRole('link', { name: 'Delivery' })).toBeHidden();
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('link', { name: 'Delivery' }).click();
  await expect(page.locator('h1')).toHaveText('Delivery');
  await expect(page).toHaveURL(/from=now-1h/);
  await expect(page.getByRole('link', { name: 'Answers' })).toBeHidden();
});
