// From every chart to the calls behind it, and from there into one call; with the keyboard, and with the mouse.
import type { Locator, Page } from '@playwright/test';
import { expect, settled, test } from '../src/test';

const CHARTED = ['/', '/delivery', '/answers', '/violations'];

for (const path of CHARTED) {
  test(`every chart of ${path} leads to calls by keyboard`, async ({ page }) => {
    test.setTimeout(600_000);
    await page.goto(`${path}?from=now-1h`);
    await settled(page);
    const names = await page.getByRole('slider').evaluateAll((all) => all.map((one) => one.getAttribute('aria-label') ?? ''));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      await test.step(name, async () => {
        await page.goto(`${path}?from=now-1h`);
        await settled(page);
        const chart = page.getByRole('slider', { name, exact: true });
        await chart.focus();
        await toSomething(page, chart);
        await page.keyboard.press('Enter');
        await expect(page).toHaveURL(/\/calls\?/);
        const first = page.locator('.grid tbody th a').first();
        await expect(first, `rows behind ${name}`).toBeVisible();
        await first.click();
        await expect(page).toHaveURL(/\/calls\/[0-9a-f-]{36}/);
        await expect(page.locator('.waterfall')).toBeVisible();
      });
    }
  });
}

/** Moves the cursor until the chart says that there is something. */
async function toSomething(page: Page, chart: Locator): Promise<void> {
  await page.keyboard.press('End');
  const isField = (await chart.getAttribute('class'))?.includes('heat-field');
  for (let step = 0; step < 400; step += 1) {
    if (isSomething((await chart.getAttribute('aria-valuetext')) ?? '')) return;
    if (isField && step % 20 !== 19) await page.keyboard.press('ArrowUp');
    else {
      await page.keyboard.press('ArrowLeft');
      if (isField) for (let down = 0; down < 20; down += 1) await page.keyboard.press('ArrowDown');
    }
  }
  throw new Error('the chart says nothing but nothing');
}

/** `11:17–11:18: 2 s: 95.4 %, 5 s: –` has a value that is not nothing; labels may hold digits themselves. */
function isSomething(reading: string): boolean {
  const values = reading.split(', ').filter((part) => part.includes(': '));
  return values.some((part) => /[1-9]/.test(part.split(': ').at(-1) ?? ''));
}

test('a click on a chart leads to the calls of that moment', async ({ page }) => {
  await page.goto('/?from=now-30m');
  await settled(page);
  const plot = page.locator('.panel', { hasText: 'Traffic' }).locator('.u-over').first();
  await plot.scrollIntoViewIfNeeded();
  const box = await plot.boundingBox();
  if (!box) throw new Error('the chart has no size');
  await page.mouse.click(box.x + box.width * 0.6, box.y + box.height / 2);
  await expect(page).toHaveURL(/\/calls\?from=\d+&to=\d+/);
  await expect(page.locator('.grid tbody th a').first()).toBeVisible();
});

test('dragging over a chart zooms into that time', async ({ page }) => {
  await page.goto('/?from=now-30m');
  await settled(page);
  const plot = page.locator('.panel', { hasText: 'Traffic' }).locator('.u-over').first();
  await plot.scrollIntoViewIfNeeded();
  const box = await plot.boundingBox();
  if (!box) throw new Error('the chart has no size');
  await page.mouse.move(box.x + box.width * 0.6, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.9, box.y + 60, { steps: 5 });
  await page.mouse.up();
  await expect(page).toHaveURL(/from=2\d{3}-.*to=2\d{3}-/);
  await expect(page.locator('h1')).toHaveText('Overview');
});

test('a chart is readable as a table', async ({ page }) => {
  await page.goto('/?from=now-1h');
  await settled(page);
  const panel = page.locator('.panel', { hasText: 'Traffic' });
  await panel.getByText('As a table').click();
  await expect(panel.locator('table tbody tr').first()).toBeVisible();
  expect(await panel.locator('table tbody tr').count()).toBeGreaterThanOrEqual(30);
});
