// The address is the state: filters, range, grouping, deep links, the back button.
import { expect, settled, test } from '../src/test';

test('a filter goes into the address, along to other pages, and away again', async ({ page }) => {
  await page.goto('/');
  await settled(page);
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await page.getByLabel('Filter by').selectOption('app');
  await page.getByRole('checkbox', { name: /com\.acme\.talk/ }).check();
  await expect(page).toHaveURL(/\?app=com\.acme\.talk$/);
  await expect(page.getByRole('region', { name: 'Apps at risk' }).locator('tbody tr').first()).toContainText('com.acme.talk');
  await page.getByRole('link', { name: 'Delivery' }).click();
  await expect(page).toHaveURL('/delivery?app=com.acme.talk');
  await page.getByRole('button', { name: /Remove the filter .*com\.acme\.talk/ }).click();
  await expect(page).toHaveURL('/delivery');
});

test('values of a filter are looked for by how they begin', async ({ page }) => {
  await page.goto('/violations');
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await page.getByLabel('Filter by').selectOption('verdict');
  await page.getByRole('searchbox').fill('unrep');
  await expect(page.getByRole('checkbox')).toHaveCount(1);
  await page.getByRole('checkbox', { name: /unreported/ }).check();
  await expect(page).toHaveURL(/verdict=unreported/);
  await page.keyboard.press('Escape');
  await expect(page.getByLabel('Filter by')).toBeHidden();
});

test('a range is kept over a reload, and its own moments can be chosen', async ({ page }) => {
  await page.goto('/');
  await page.getByLabel('Time range').selectOption('now-1h');
  await expect(page).toHaveURL('/?from=now-1h');
  await page.reload();
  await expect(page.getByLabel('Time range')).toHaveValue('now-1h');
  await page.getByLabel('Time range').selectOption('custom');
  await page.getByLabel('From, your time zone').fill('2026-01-01T10:00');
  await page.getByLabel('To, your time zone').fill('2026-01-01T11:00');
  await page.getByRole('button', { name: 'Show' }).click();
  // Berlin is an hour ahead of UTC in winter.
  await expect(page).toHaveURL(/from=2026-01-01T09%3A00%3A00.000Z&to=2026-01-01T10%3A00%3A00.000Z/);
  await expect(page.locator('.headline-text')).toContainText('No calls');
  await expect(page.locator('.state-empty').first()).toContainText(/wider range/);
});

test('grouping is in the address, and its rows lead to their legs', async ({ page }) => {
  await page.goto('/delivery');
  await settled(page);
  await page.getByLabel('by', { exact: true }).selectOption('carrier');
  await expect(page).toHaveURL(/group_by=carrier/);
  const table = page.getByRole('region', { name: 'Delivery by dimension' });
  await expect(table.locator('thead th').first()).toHaveText(/carrier/i);
  // Until the answer is there, the rows are those of the dimension before.
  await expect(table.locator('tbody a').first()).toHaveAttribute('href', /carrier=/);
  await table.locator('tbody a').first().click();
  await expect(page).toHaveURL(/\/calls\?carrier=/);
  await expect(page.locator('.grid tbody tr').first()).toBeVisible();
});

test('a deep link shows what it says, and the back button goes back to it', async ({ page }) => {
  await page.goto('/calls?app=com.acme.talk&verdict=unreported&view=legs');
  const rows = page.locator('.grid tbody tr');
  await expect(rows.first()).toContainText('unreported');
  for (const text of await rows.allTextContents()) expect(text).toContain('unreported');
  await rows.first().locator('th a').click();
  await expect(page.locator('.waterfall')).toBeVisible();
  await page.locator('.panel h2 a').first().click();
  await expect(page.getByRole('heading', { name: 'Strikes' })).toBeVisible();
  await page.goBack();
  await expect(page.locator('.waterfall')).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL('/calls?app=com.acme.talk&verdict=unreported&view=legs');
  await expect(rows.first()).toContainText('unreported');
});

test('calls are found by UUID, and lists go on', async ({ page }) => {
  await page.goto('/calls?from=now-1h');
  await settled(page);
  const rows = page.locator('.grid tbody tr');
  await expect(rows).toHaveCount(50);
  await page.getByRole('button', { name: 'More calls' }).click();
  await expect(rows).toHaveCount(100);
  const href = (await rows.nth(70).locator('th a').getAttribute('href')) ?? '';
  const uuid = /[0-9a-f-]{36}/.exec(href)?.[0] ?? '';
  await page.getByLabel('Call UUID, device or app').fill(uuid);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`q=${uuid}`));
  await expect(rows).toHaveCount(1);
});

test('a list is saved as CSV and NDJSON', async ({ page }) => {
  await page.goto('/calls?verdict=unreported&view=legs');
  await settled(page);
  for (const format of ['CSV', 'NDJSON']) {
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: format, exact: true }).click();
    const saved = await saving;
    expect(saved.suggestedFilename()).toBe(`ringtrace-legs.${format.toLowerCase()}`);
    const stream = await saved.createReadStream();
    let text = '';
    for await (const chunk of stream) text += chunk;
    expect(text).toContain('unreported');
  }
});

test('moments are in the viewer’s zone, with UTC to hover', async ({ page }) => {
  await page.goto('/calls?view=legs&from=now-1h');
  const time = page.locator('.grid tbody time').first();
  const at = new Date((await time.getAttribute('datetime')) ?? '');
  const berlin = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium', timeZone: 'Europe/Berlin' }).format(at);
  await expect(time).toHaveText(new RegExp(`${berlin.slice(0, 5)}`));
  await expect(time).toHaveAttribute('title', /UTC$/);
});
