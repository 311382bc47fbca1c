import { describe, expect, it } from 'vitest';
import type { LegDetail, RawEvent } from '../src/api/records';
import { layout } from '../src/waterfall/layout';
import { compressedScale, linearScale } from '../src/waterfall/scale';

const event = (
  kind: string,
  at: number,
  producer: RawEvent['producer'],
  device: string | null,
): RawEvent => ({
  event_id: `${kind}${at}${device}`,
  kind,
  device_id: device,
  producer,
  occurred_at: at,
  corrected_at: at,
  clock_offset_ms: 0,
  log_at: at,
  source: 'push-events/0/1',
  attributes: {},
  folded: true,
  milestone: null,
});
const leg = (device: string, spread: number | null) =>
  ({ device_id: device, clock: { offset_ms: 10, spread_ms: spread } }) as LegDetail;

describe('the waterfall', () => {
  const events = [
    event('call.ended', 200_000, 'server', null),
    event('push.received', 600, 'device', 'b'),
    event('push.sent', 40, 'server', 'a'),
    event('call.initiated', 0, 'server', null),
    event('push.received', 620, 'device', 'a'),
    event('call.reported', 700, 'device', 'a'),
  ];
  const { lanes } = layout({ legs: [leg('a', 50), leg('b', 0)], events }, 'compressed');

  it('has a lane for the call, then each leg’s server and device', () => {
    expect(lanes.map((lane) => `${lane.deviceId}/${lane.producer}`)).toEqual([
      'null/server',
      'a/server',
      'a/device',
      'b/device',
    ]);
  });

  it('keeps the order of time on every scale', () => {
    for (const name of ['compressed', 'linear'] as const) {
      const rows = layout({ legs: [], events }, name).lanes.flatMap((lane) => lane.rows);
      rows.sort((x, y) => x.at - y.at);
      rows.forEach((row, index) => {
        expect(row.x).toBeGreaterThanOrEqual(rows[index - 1]?.x ?? 0);
        expect(row.x).toBeLessThanOrEqual(100);
      });
    }
  });

  it('counts gaps within a lane, and time since the first event', () => {
    const device = lanes.find((lane) => lane.deviceId === 'a' && lane.producer === 'device');
    expect(device?.rows.map((row) => [row.gapMs, row.sinceStartMs])).toEqual([
      [null, 620],
      [80, 700],
    ]);
  });

  it('shows uncertainty only of device clocks that have any', () => {
    const unsure = lanes.map((lane) => lane.rows.some((row) => row.unsure !== null));
    expect(unsure).toEqual([false, false, true, false]);
    for (const row of lanes[2]?.rows ?? []) {
      expect(row.unsure?.from).toBeLessThan(row.x);
      expect(row.unsure?.to).toBeGreaterThan(row.x);
    }
  });

  it('stands in the middle when everything happened at once', () => {
    expect(linearScale([5, 5])(5)).toBe(50);
    expect(compressedScale([5])(5)).toBe(50);
    expect(layout({ legs: [], events: [] }, 'linear').lanes).toEqual([]);
  });
});
