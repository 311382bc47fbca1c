// Light and dark, and what a machine can tell of accessibility.
import AxeBuilder from '@axe-core/playwright';
import { allPages, expect, settled, test } from '../src/test';

for (const scheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious on any page, ${scheme}`, async ({ page }) => {
    test.setTimeout(900_000);
    await page.emulateMedia({ colorScheme: scheme });
    for (const path of await allPages(page)) {
      await test.step(path, async () => {
        await page.goto(path);
        await settled(page);
        // Whatever is folded away is read too.
        await page.locator('details').evaluateAll((all) => {
          for (const one of all) (one as HTMLDetailsElement).open = true;
        });
        const { violations } = await new AxeBuilder({ page }).analyze();
        const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        const told = grave.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).slice(0, 3).join(' | ')}`);
        expect(told, path).toEqual([]);
      });
    }
  });
}

test('the scheme is the system’s, until somebody chooses; then it stays', async ({ page }) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto('/');
  await settled(page);
  const light = await ground();
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(ground).not.toBe(light);
  const dark = await ground();
  await page.getByRole('button', { name: /^Colours/ }).click();
  await expect.poll(ground).toBe(light);
  await page.reload();
  await expect.poll(ground).toBe(light);
  await page.getByRole('button', { name: /^Colours/ }).click();
  await expect.poll(ground).toBe(dark);
});

test('everything can be reached by keyboard', async ({ page }) => {
  await page.goto('/');
  await settled(page);
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
  const seen = new Set<string>();
  for (let step = 0; step < 80; step += 1) {
    await page.keyboard.press('Tab');
    seen.add(await page.evaluate(() => document.activeElement?.getAttribute('role') ?? document.activeElement?.tagName ?? ''));
  }
  for (const kind of ['A', 'BUTTON', 'SELECT', 'SUMMARY', 'slider']) expect([...seen]).toContain(kind);
});

test('moving to another page moves the focus to its heading', async ({ page }) => {
  await page.goto('/');
  await settled(page);
  await page.getByRole('link', { name: 'Answers', exact: true }).click();
  await expect(page.locator('h1')).toBeFocused();
});
