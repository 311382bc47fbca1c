// The buckets of a latency distribution. Pure.
import type { Num } from '../api/types';
import { ms } from '../format';
import type { Extra } from '../state/url';

/** The part of the buckets that holds anything, with one empty bucket on each side where there is one. */
export function trimmedBounds(counts: number[]): { first: number; last: number } {
  const first = counts.findIndex((legs) => legs > 0);
  if (first < 0) return { first: 0, last: Math.max(0, counts.length - 1) };
  const last = counts.findLastIndex((legs) => legs > 0);
  return { first: Math.max(0, first - 1), last: Math.min(counts.length - 1, last + 1) };
}

/** "200 ms to 400 ms" */
export function between(bounds: Num[], index: number): string {
  const low = index > 0 ? (bounds[index - 1] ?? null) : null;
  const high = bounds[index] ?? null;
  if (high === null) return `above ${ms(low)}`;
  return low === null ? `up to ${ms(high)}` : `${ms(low)} to ${ms(high)}`;
}

/** Bounds are inclusive above: a bucket holds what is above the bound before it, up to its own. */
export function rangeFilters(stage: string, bounds: Num[], index: number): Extra {
  const low = index > 0 ? (bounds[index - 1] ?? null) : null;
  const high = bounds[index] ?? null;
  return {
    slower_than: low === null ? undefined : `${stage}:${Math.floor(low)}`,
    faster_than: high === null ? undefined : `${stage}:${Math.floor(high)}`,
    ...(low === null && high !== null ? { stage_reached: stageEnd(stage) } : {}),
  };
}

function stageEnd(stage: string): string | undefined {
  const end = stage.split('_to_')[1];
  return end === 'accepted' || end === 'received' || end === 'reported' || end === 'answered'
    ? end
    : undefined;
}
