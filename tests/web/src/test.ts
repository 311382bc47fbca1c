// What every test has: the address, and a watch over what no page may do.
import { expect, test as base, type Page } from '@playwright/test';

export { expect };

export const CSP_WORDS = /Content Security Policy|Refused to/i;

export const test = base.extend<{ watched: Page; quiet: boolean }>({
  /** False where a test brings about failing requests on purpose. */
  quiet: [true, { option: true }],
  baseURL: async ({}, use) => use(process.env.RINGTRACE_WEB ?? 'http://127.0.0.1:8080'),
  page: async ({ page, quiet }, use) => {
    const wrong: string[] = [];
    page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() !== 'error') return;
      if (quiet || CSP_WORDS.test(message.text())) wrong.push(`console: ${message.text()}`);
    });
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith('http') && url.hostname !== '127.0.0.1') wrong.push(`outside: ${url.href}`);
    });
    await use(page);
    expect(wrong, 'what the page may not do').toEqual([]);
  },
});

/** Waits until every panel has its answer, and says if one has none. */
export async function settled(page: Page): Promise<void> {
  await expect(page.locator('h1')).toBeVisible();
  await expect(page.locator('.spinner')).toHaveCount(0, { timeout: 60_000 });
}

/** The pages that have an address of their own. */
export const PAGES = [
  ['/', 'Overview'],
  ['/risk', 'Risk'],
  ['/alerts', 'Alerts'],
  ['/delivery', 'Delivery'],
  ['/answers', 'Answers'],
  ['/violations', 'Violations'],
  ['/devices', 'Devices'],
  ['/calls', 'Calls'],
  ['/live', 'Live'],
  ['/pipeline', 'Pipeline'],
  ['/api', 'API'],
] as const;

interface Leg {
  tenant_id: string;
  call_uuid: string;
  device_id: string;
}

/** A violating leg, for the pages of one call and one device. */
export async function aViolation(page: Page): Promise<Leg> {
  // A suspicion may be withdrawn while its page is looked at; what is confirmed stays.
  const answer = await page.request.get('/api/v1/legs?verdict=unreported&limit=100');
  const { items } = (await answer.json()) as { items: (Leg & { evidence: string | null })[] };
  const leg = items.find((item) => item.evidence === 'confirmed');
  if (!leg) throw new Error('the simulated world has no violation');
  return leg;
}

/** Every page, those of one call and one device included. */
export async function allPages(page: Page): Promise<string[]> {
  const leg = await aViolation(page);
  return [
    ...PAGES.map(([path]) => path),
    '/calls?view=legs',
    `/calls/${leg.call_uuid}?tenant_id=${leg.tenant_id}`,
    `/devices/${encodeURIComponent(leg.device_id)}?tenant_id=${leg.tenant_id}`,
  ];
}
