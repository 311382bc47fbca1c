// A few pages as people see them.
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../src/process';
import { aViolation, expect, settled, test } from '../src/test';

const FOLDER = join(ROOT, 'dashboards/web/screenshots');
const RANGE = 'from=now-30m';
const LARGEST = 200_000;

type Scheme = 'light' | 'dark';

const SHOTS: [name: string, path: string, scheme: Scheme, width: number, height: number][] = [
  ['overview', `/?${RANGE}`, 'light', 1280, 1000],
  ['overview-dark', `/?${RANGE}`, 'dark', 1280, 1000],
  ['overview-phone', `/?${RANGE}`, 'light', 390, 844],
  ['delivery', `/delivery?${RANGE}`, 'light', 1280, 1240],
  ['violations', `/violations?${RANGE}&app=com.acme.talk`, 'light', 1280, 1000],
  ['risk', `/risk?${RANGE}`, 'light', 1280, 1000],
  ['alerts', `/alerts?${RANGE}`, 'light', 1280, 900],
  ['call', '', 'light', 1280, 1400],
];

for (const [name, path, scheme, width, height] of SHOTS) {
  test(`picture of ${name}`, async ({ page }) => {
    mkdirSync(FOLDER, { recursive: true });
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme });
    const leg = await aViolation(page);
    await page.goto(path || `/calls/${leg.call_uuid}?tenant_id=${leg.tenant_id}`);
    await settled(page);
    const file = join(FOLDER, `${name}.png`);
    await page.screenshot({ path: file, animations: 'disabled' });
    expect(statSync(file).size).toBeLessThan(LARGEST);
  });
}
