// A level of risk: shape, colour and word; and its course over a range.
import type { DeviceLevel, LevelStep } from '../api/risk';
import { LEVEL_LOOKS, stepLine } from '../model/levels';
import { Badge } from './badges';

export function Level({ level, title }: { level: DeviceLevel; title?: string | undefined }) {
  return <Badge {...LEVEL_LOOKS[level]} title={title} />;
}

/** Decoration: the words beside it say the same. */
export function LevelLine({ steps, from, to }: { steps: LevelStep[]; from: number; to: number }) {
  if (steps.length === 0) return null;
  return (
    <svg class="spark" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <polyline class="spark-ground" points="0,27 100,27" />
      <polyline points={stepLine(steps, from, to)} />
    </svg>
  );
}
