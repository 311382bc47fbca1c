// A line of a word's height: the shape of a figure over the range. Decoration: the numbers stand beside it.
import type { Num } from '../api/types';

export function Spark({ values }: { values: Num[] }) {
  const points = sparkPoints(values);
  if (points.length === 0) return null;
  return (
    <svg class="spark" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      {points.map((run) => (
        <polyline key={run} points={run} />
      ))}
    </svg>
  );
}

/** One string of points per run without gaps. */
export function sparkPoints(values: Num[]): string[] {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return [];
  const low = Math.min(0, ...known);
  const span = Math.max(...known) - low || 1;
  const step = 100 / Math.max(1, values.length - 1);
  const runs: string[][] = [[]];
  values.forEach((value, index) => {
    if (value === null) runs.push([]);
    else runs.at(-1)?.push(`${(index * step).toFixed(1)},${(26 - ((value - low) / span) * 24).toFixed(1)}`);
  });
  return runs.filter((run) => run.length > 1).map((run) => run.join(' '));
}
