// A figure against the same range a week ago, in words. Pure.
import type { Measure, Num } from '../api/types';
import { ratio } from '../format';

export interface Delta {
  /** Whether that is good news, by the measure's own direction. */
  sense: 'better' | 'worse' | 'same' | 'neutral';
  text: string;
}

/** Null where there is nothing to compare with. */
export function delta(measure: Measure, now: Num | undefined, before: Num | undefined): Delta | null {
  if (now === null || now === undefined || before === null || before === undefined) return null;
  if (measure.unit === 'count' && before === 0) return null;
  const change = now - before;
  const size =
    measure.unit === 'ratio' ? points(change) : before === 0 ? null : ratio(Math.abs(change) / before);
  const negligible =
    measure.unit === 'ratio' ? Math.abs(change) < 0.0005 : before !== 0 && Math.abs(change / before) < 0.01;
  if (change === 0 || negligible) return { sense: 'same', text: 'as a week ago' };
  if (size === null) return null;
  const arrow = change > 0 ? '▲' : '▼';
  if (measure.good === 'none') {
    return { sense: 'neutral', text: `${arrow} ${size} ${change > 0 ? 'more' : 'less'} than a week ago` };
  }
  const better = change > 0 === (measure.good === 'up');
  return {
    sense: better ? 'better' : 'worse',
    text: `${arrow} ${size} ${better ? 'better' : 'worse'} than a week ago`,
  };
}

function points(change: number): string {
  const size = Math.abs(change) * 100;
  return `${size < 1 ? size.toFixed(2) : size.toFixed(1)} points`;
}
