// Which app versions are at risk, and the one line that says whether all is right. Pure.
import type { AppRisk as Stored } from '../api/risk';
import type { Freshness, Group, Measures } from '../api/types';
import { ms, plural, ratio, shownValue } from '../format';
import { LEVEL_LOOKS, versionKey, worstByVersion } from './levels';
import { shareShift, wilson } from './wilson';

/** Below this many required reports a share says too little to judge an app version by. */
export const MIN_REQUIRED = 50;
/** An app version violates when its violation rate is above this, at the low end of its interval. */
export const VIOLATES_ABOVE = 0.001;

/** From bad to good. The alerter's own levels; `violates` and `few` stand in for them where it has not judged. */
export const LEVELS = ['critical', 'at_risk', 'violates', 'watch', 'few', 'ok'] as const;

export type Level = (typeof LEVELS)[number];

/** Of these somebody should hear at once. */
const BAD: Level[] = ['critical', 'at_risk', 'violates'];

export interface AppRisk {
  app: string | null;
  version: string | null;
  level: Level;
  violations: number;
  confirmed: number;
  required: number;
  rate: number | null;
  low: number;
  high: number;
  before: number | null;
  /** What the alerter has judged last, the worst of the versions of iOS. */
  stored: Stored | null;
}

/** App versions, the worst level first, in it the surest violators; those with few pushes come after all that can be judged. */
export function rankApps(groups: Group[], stored: Stored[] = []): AppRisk[] {
  const judged = worstByVersion(stored);
  const risks = groups.map((group) =>
    toRisk(group, judged.get(versionKey(group.key.app ?? null, group.key.app_version ?? null)) ?? null),
  );
  const rank = (risk: AppRisk) => LEVELS.indexOf(risk.level);
  return risks.sort((a, b) => rank(a) - rank(b) || b.low - a.low || b.required - a.required);
}

function toRisk({ key, current, previous }: Group, stored: Stored | null): AppRisk {
  const violations = current.violations ?? 0;
  const required = current.required_reports ?? 0;
  const interval = wilson(violations, required) ?? { low: 0, high: 1 };
  return {
    app: key.app ?? null,
    version: key.app_version ?? null,
    level: stored?.level ?? levelOf(violations, required, interval.low),
    violations,
    confirmed: current.violations_confirmed ?? 0,
    required,
    rate: current.violation_rate ?? null,
    low: interval.low,
    high: interval.high,
    before: previous?.violation_rate ?? null,
    stored,
  };
}

function levelOf(violations: number, required: number, low: number): Level {
  if (violations === 0) return 'ok';
  if (required < MIN_REQUIRED) return 'few';
  return low > VIOLATES_ABOVE ? 'violates' : 'watch';
}

export interface Headline {
  level: 'fine' | 'watch' | 'bad' | 'unknown';
  text: string;
  /** Further sentences, most serious first. */
  notes: string[];
}

export function headline(
  apps: Group[],
  stored: Stored[],
  all: Group | null,
  freshness: Freshness,
  range: string,
): Headline {
  const risks = rankApps(apps, stored);
  const notes = [...lateness(freshness), ...shifts(all)];
  if ((all?.current.legs ?? 0) === 0) {
    return {
      level: 'unknown',
      text: `No calls in ${range}, so there is nothing to judge.`,
      notes: lateness(freshness),
    };
  }
  const bad = risks.filter((risk) => BAD.includes(risk.level));
  const [worst] = bad;
  if (worst) {
    const others = bad.length > 1 ? ', worst' : '';
    const text = `${plural(bad.length, 'app version is', 'app versions are')} at risk${others}: ${nameOf(worst)}, ${ratio(worst.rate)} of required reports are missing.`;
    return { level: 'bad', text, notes: [...judgedNote(worst), ...notes] };
  }
  const watched = risks.filter((risk) => risk.level === 'watch' || risk.violations > 0);
  const [first] = watched;
  if (first) {
    const missing = watched.reduce((sum, risk) => sum + risk.violations, 0);
    const text = `No app version is at risk; ${plural(missing, 'single violation', 'single violations')} in ${plural(watched.length, 'app version')} to watch.`;
    return { level: 'watch', text, notes: [...judgedNote(first), ...notes] };
  }
  if (notes.length > 0)
    return { level: 'watch', text: `No app version violates in ${range}, but look:`, notes };
  return { level: 'fine', text: `All right: every push that needed a report got one in ${range}.`, notes };
}

/** The alerter's level and reason, in its words. */
function judgedNote({ stored }: AppRisk): string[] {
  return stored === null ? [] : [`It is ${LEVEL_LOOKS[stored.level].text}: ${stored.reason}`];
}

export function nameOf(risk: { app: string | null; version: string | null }): string {
  return `${shownValue(risk.app)} ${shownValue(risk.version)}`;
}

function lateness(freshness: Freshness): string[] {
  if (freshness.state === 'fresh') return [];
  if (freshness.state === 'unknown')
    return ['Nobody knows how old these figures are: no linker has written its clock.'];
  return [`The pipeline is ${ms(freshness.behind_ms)} behind, so the newest calls are missing here.`];
}

/** Shares that moved by more than three standard deviations and two points against the compared range. */
function shifts(all: Group | null): string[] {
  if (!all?.previous) return [];
  const checks: [string, string, string][] = [
    ['received_within_10s', 'legs_accepted', 'Pushes that arrive within 10 s'],
    ['acceptance_rate', 'push_attempts', 'Pushes that the push services accept'],
    ['answer_seizure_ratio', 'calls_reached', 'Calls that are answered once a device was reached'],
  ];
  return checks.flatMap(([measure, of, words]) => shift(all.current, all.previous ?? {}, measure, of, words));
}

function shift(now: Measures, before: Measures, measure: string, of: string, words: string): string[] {
  const [a, b] = [now[measure] ?? null, before[measure] ?? null];
  if (a === null || b === null || Math.abs(a - b) < 0.02) return [];
  const sigmas = shareShift({ share: a, of: now[of] ?? 0 }, { share: b, of: before[of] ?? 0 });
  if (sigmas === null || sigmas > -3) return [];
  return [`${words}: ${ratio(a)}, down from ${ratio(b)} a week ago.`];
}
