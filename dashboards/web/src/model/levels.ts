// Levels of risk: their words and shapes, and how they moved over a range. Pure.
import type { AppLevel, AppRisk, DeviceLevel, LevelStep } from '../api/risk';
import type { Tone } from '../ui/badges';
import type { IconName } from '../ui/icons';

/** From bad to good. */
export const APP_LEVELS: AppLevel[] = ['critical', 'at_risk', 'watch', 'ok'];
export const DEVICE_LEVELS: DeviceLevel[] = ['suspected', ...APP_LEVELS];

export const LEVEL_LOOKS: Record<DeviceLevel, { tone: Tone; icon: IconName; text: string }> = {
  suspected: { tone: 'bad', icon: 'slash', text: 'suspected' },
  critical: { tone: 'bad', icon: 'cross', text: 'critical' },
  at_risk: { tone: 'bad', icon: 'bang', text: 'at risk' },
  watch: { tone: 'warn', icon: 'half', text: 'watch' },
  ok: { tone: 'good', icon: 'check', text: 'ok' },
};

/** Worse is higher. */
export const LEVEL_RANK: Record<DeviceLevel, number> = {
  ok: 0,
  watch: 1,
  at_risk: 2,
  critical: 3,
  suspected: 4,
};

/** Above 0 where `a` is worse. */
export function compareLevels(a: AppLevel, b: AppLevel): number {
  return LEVEL_RANK[a] - LEVEL_RANK[b];
}

export interface Trend {
  sense: 'better' | 'worse' | 'same' | 'neutral';
  text: string;
}

/** What became of a level since the range began. The first step is the level that held then, if it began before. */
export function trendOf(steps: LevelStep[], now: AppLevel, from: number): Trend {
  const [first] = steps;
  if (!first) return { sense: 'neutral', text: 'no history' };
  const changes = steps.length - 1;
  if (first.at > from && changes === 0) return { sense: 'neutral', text: 'first judged in this range' };
  const moved = compareLevels(now, first.level);
  if (moved !== 0) {
    const sense = moved > 0 ? 'worse' : 'better';
    return { sense, text: `${moved > 0 ? '▲' : '▼'} ${sense}, was ${LEVEL_LOOKS[first.level].text}` };
  }
  if (changes === 0) return { sense: 'same', text: 'unchanged' };
  return { sense: 'neutral', text: `came back after ${changes} ${changes === 1 ? 'change' : 'changes'}` };
}

/** A step line in a square of 100 by 28: time to the right, worse levels higher. */
export function stepLine(steps: LevelStep[], from: number, to: number): string {
  const span = Math.max(1, to - from);
  const x = (at: number) => Math.min(100, Math.max(0, ((at - from) / span) * 100)).toFixed(1);
  const y = (level: AppLevel) => 25 - LEVEL_RANK[level] * 7.5;
  return steps
    .flatMap((step, index) => {
      const end = steps[index + 1]?.at ?? to;
      return [`${x(step.at)},${y(step.level)}`, `${x(end)},${y(step.level)}`];
    })
    .join(' ');
}

/** The worst stored level of each app and version, whatever the tenant and the version of iOS. */
export function worstByVersion(risks: AppRisk[]): Map<string, AppRisk> {
  const worst = new Map<string, AppRisk>();
  for (const risk of risks) {
    const key = versionKey(risk.app_id, risk.app_version);
    const held = worst.get(key);
    if (!held || compareLevels(risk.level, held.level) > 0) worst.set(key, risk);
  }
  return worst;
}

export function versionKey(app: string | null, version: string | null): string {
  return JSON.stringify([app ?? '', version ?? '']);
}
