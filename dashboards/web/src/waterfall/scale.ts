// Where a moment stands on the track, 0 to 100. Pure.

export type Scale = (at: number) => number;

/** Milliseconds below which a gap gets little room on the compressed track. */
const KNEE_MS = 50;

/** True proportions. */
export function linearScale(times: number[]): Scale {
  const [from, to] = ends(times);
  return (at) => (to > from ? clamp(((at - from) / (to - from)) * 100) : 50);
}

/**
 * Gaps by the logarithm of their length, so that 200 ms of a push and ten minutes of talk are both seen. Order is kept:
 * what is later is never further left.
 */
export function compressedScale(times: number[]): Scale {
  const knots = [...new Set(times)].sort((a, b) => a - b);
  if (knots.length < 2) return () => 50;
  const places = [0];
  for (let at = 1; at < knots.length; at += 1) {
    const gap = (knots[at] ?? 0) - (knots[at - 1] ?? 0);
    places.push((places[at - 1] ?? 0) + Math.log1p(gap / KNEE_MS));
  }
  const whole = places.at(-1) || 1;
  return (at) => clamp((interpolated(knots, places, at) / whole) * 100);
}

function interpolated(knots: number[], places: number[], at: number): number {
  const after = knots.findIndex((knot) => knot >= at);
  if (after === 0) return 0;
  if (after < 0) return places.at(-1) ?? 0;
  const [low, high] = [knots[after - 1] ?? 0, knots[after] ?? 0];
  const [left, right] = [places[after - 1] ?? 0, places[after] ?? 0];
  return left + ((at - low) / (high - low)) * (right - left);
}

function ends(times: number[]): [number, number] {
  return [
    times.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    times.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  ];
}

function clamp(place: number): number {
  return Math.min(100, Math.max(0, place));
}
