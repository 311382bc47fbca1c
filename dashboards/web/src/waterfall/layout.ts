// A call's events as lanes: one for the call itself, and for each leg one of the server and one of the device. Pure.
import type { CallDetail, LegDetail, RawEvent } from '../api/records';
import { compressedScale, linearScale } from './scale';

export interface Row {
  event: RawEvent;
  /** Corrected time, ms. */
  at: number;
  /** Place on the track, 0 to 100. */
  x: number;
  /** Where the event may really have been, as places: only of device events whose clock is uncertain. */
  unsure: { from: number; to: number } | null;
  /** Place of the event before it in the lane. */
  before: number | null;
  /** ms since the event before it in the lane. */
  gapMs: number | null;
  /** ms since the first event of the call. */
  sinceStartMs: number;
}

export interface Lane {
  key: string;
  producer: 'server' | 'device';
  deviceId: string | null;
  leg: LegDetail | null;
  rows: Row[];
}

export interface Waterfall {
  lanes: Lane[];
  from: number;
  to: number;
}

export type ScaleName = 'compressed' | 'linear';

export function layout(detail: Pick<CallDetail, 'legs' | 'events'>, scaleName: ScaleName): Waterfall {
  const events = [...detail.events].sort(
    (a, b) => a.corrected_at - b.corrected_at || compare(a.event_id, b.event_id),
  );
  const times = events.map((event) => event.corrected_at);
  const scale = scaleName === 'linear' ? linearScale(times) : compressedScale(times);
  const from = times[0] ?? 0;
  const legs = new Map(detail.legs.map((leg) => [leg.device_id, leg]));
  const lanes = new Map<string, Lane>();
  for (const event of events) {
    const lane = laneOf(lanes, event, legs);
    const last = lane.rows.at(-1);
    const at = event.corrected_at;
    lane.rows.push({
      event,
      at,
      x: scale(at),
      unsure: unsureOf(lane, at, scale),
      before: last?.x ?? null,
      gapMs: last === undefined ? null : at - last.at,
      sinceStartMs: at - from,
    });
  }
  const order = new Map([...legs.keys()].map((id, index) => [id, index]));
  const rank = (lane: Lane) =>
    (lane.deviceId === null ? -1 : (order.get(lane.deviceId) ?? legs.size)) * 2 +
    (lane.producer === 'device' ? 1 : 0);
  return { lanes: [...lanes.values()].sort((a, b) => rank(a) - rank(b)), from, to: times.at(-1) ?? from };
}

function laneOf(lanes: Map<string, Lane>, event: RawEvent, legs: Map<string, LegDetail>): Lane {
  const key = `${event.device_id ?? ''}\n${event.producer}`;
  const held = lanes.get(key);
  if (held) return held;
  const leg = event.device_id === null ? null : (legs.get(event.device_id) ?? null);
  const lane: Lane = { key, producer: event.producer, deviceId: event.device_id, leg, rows: [] };
  lanes.set(key, lane);
  return lane;
}

/** Only a device's clock is uncertain: the server's is what the others are corrected to. */
function unsureOf(lane: Lane, at: number, scale: (at: number) => number): Row['unsure'] {
  const spread = lane.leg?.clock.spread_ms ?? 0;
  if (lane.producer !== 'device' || spread <= 0) return null;
  return { from: scale(at - spread), to: scale(at + spread) };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
