// From an answer of /series to what the time chart draws. Pure.
import type { Num, Series, Unit } from '../api/types';
import { dayAndTime, shownValue, time } from '../format';

export interface Line {
  label: string;
  measure: string;
  values: Num[];
  /** The same buckets a week earlier: drawn grey and dashed. */
  previous: boolean;
  /** Filters that the line's group adds to a drill-down. */
  key: Record<string, string>;
}

export interface Drawn {
  times: number[];
  bucketMs: number;
  lines: Line[];
  unit: Unit;
}

export function linesOf(series: Series, measures: { name: string; label: string }[], unit: Unit): Drawn {
  const lines: Line[] = [];
  for (const group of series.groups) {
    const values = Object.values(group.key);
    const name = values.map(shownValue).join(' · ');
    const key = Object.fromEntries(Object.entries(group.key).map(([dim, value]) => [dim, value ?? '']));
    for (const measure of measures) {
      const label = name === '' ? measure.label : measures.length > 1 ? `${name}, ${measure.label}` : name;
      lines.push({
        label,
        measure: measure.name,
        values: group.current[measure.name] ?? [],
        previous: false,
        key,
      });
      const before = group.previous?.[measure.name];
      if (before && values.length === 0 && measures.length === 1 && before.some((value) => value)) {
        lines.push({ label: 'a week before', measure: measure.name, values: before, previous: true, key });
      }
    }
  }
  return { times: series.times, bucketMs: series.bucket_ms, lines, unit };
}

/** Sums from the last line up, so that drawing them in order puts each on top of those after it. */
export function stacked(lines: Line[]): Num[][] {
  const sums: Num[][] = [];
  for (let index = lines.length - 1; index >= 0; index -= 1) {
    const below = sums[0];
    sums.unshift((lines[index]?.values ?? []).map((value, at) => (value ?? 0) + (below?.[at] ?? 0)));
  }
  return sums;
}

export function hasValues(drawn: Drawn): boolean {
  return drawn.lines.some(
    (line) => !line.previous && line.values.some((value) => value !== null && value !== 0),
  );
}

export function bucketWords(drawn: Drawn, index: number): string {
  const from = drawn.times[index] ?? 0;
  return drawn.bucketMs >= 86_400_000 ? dayAndTime(from) : `${time(from)}–${time(from + drawn.bucketMs)}`;
}
