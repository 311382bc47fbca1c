import { describe, expect, it } from 'vitest';
import type { AppRisk } from '../src/api/risk';
import type { Freshness, Group } from '../src/api/types';
import { delta } from '../src/model/delta';
import { headline, rankApps } from '../src/model/risk';
import { shareShift, wilson } from '../src/model/wilson';

const app = (version: string, violations: number, required: number): Group => ({
  key: { app: 'com.acme.talk', app_version: version },
  current: {
    violations,
    required_reports: required,
    violation_rate: required > 0 ? violations / required : null,
    legs: required,
  },
  previous: null,
});
const judged = (version: string, os_major: string, level: AppRisk['level']): AppRisk => ({
  tenant_id: 'default',
  app_id: 'com.acme.talk',
  app_version: version,
  os_major,
  level,
  since: 1,
  reason: 'because',
  required: 9,
  violations: 1,
  confirmed: 0,
  log_clock: 2,
  trend: [],
});
const fresh: Freshness = { log_clock: 1, behind_ms: 900, state: 'fresh', rolled_at: 1 };
const whole = (legs: number, extra = {}): Group => ({ key: {}, current: { legs, ...extra }, previous: null });
const plain = (text: string) => text.replaceAll('\u202f', ' ');

describe('Wilson’s interval', () => {
  it('agrees with published values', () => {
    const interval = wilson(10, 188);
    expect(interval?.low).toBeCloseTo(0.0291, 3);
    expect(interval?.high).toBeCloseTo(0.0951, 3);
    expect(wilson(0, 100)?.low).toBe(0);
    expect(wilson(0, 100)?.high).toBeCloseTo(0.037, 3);
    expect(wilson(0, 0)).toBeNull();
  });

  it('knows a share that moved', () => {
    expect(shareShift({ share: 0.8, of: 1000 }, { share: 0.9, of: 1000 })).toBeLessThan(-3);
    expect(shareShift({ share: 0.5, of: 4 }, { share: 0.9, of: 4 })).toBeGreaterThan(-3);
  });
});

describe('apps at risk', () => {
  it('are never led by one with few pushes', () => {
    const ranked = rankApps([
      app('1.0', 1, 1),
      app('5.3.0', 10, 188),
      app('9.9', 0, 5000),
      app('2.0', 1, 3000),
    ]);
    expect(ranked.map((risk) => risk.version)).toEqual(['5.3.0', '2.0', '1.0', '9.9']);
    expect(ranked.map((risk) => risk.level)).toEqual(['violates', 'watch', 'few', 'ok']);
  });
});

describe('the alerter’s level', () => {
  it('goes before what the figures of the range say', () => {
    const groups = [app('5.3.0', 10, 188), app('5.2.1', 0, 900), app('4.0', 0, 10)];
    const stored = [
      judged('5.2.1', '18', 'ok'),
      judged('5.2.1', '26', 'critical'),
      judged('4.0', '26', 'watch'),
    ];
    const ranked = rankApps(groups, stored);
    expect(ranked.map((risk) => `${risk.version} ${risk.level}`)).toEqual([
      '5.2.1 critical',
      '5.3.0 violates',
      '4.0 watch',
    ]);
    const said = headline(groups, stored, whole(1000), fresh, 'the last hour');
    expect(said.text).toContain('2 app versions are at risk, worst: com.acme.talk 5.2.1');
    expect(said.notes).toContain('It is critical: because');
  });

  it('does not hide violations behind an ok', () => {
    const said = headline(
      [app('5.2.1', 1, 900)],
      [judged('5.2.1', '26', 'ok')],
      whole(900),
      fresh,
      'the hour',
    );
    expect(said.level).toBe('watch');
  });
});

describe('the line at the top', () => {
  it('names the app version that violates', () => {
    const said = headline(
      [app('5.3.0', 10, 188), app('5.2.1', 0, 900)],
      [],
      whole(1000),
      fresh,
      'the last 24 hours',
    );
    expect(said.level).toBe('bad');
    expect(plain(said.text)).toBe(
      '1 app version is at risk: com.acme.talk 5.3.0, 5.3 % of required reports are missing.',
    );
  });

  it('says so when all is right, and only then', () => {
    expect(headline([app('5.2.1', 0, 900)], [], whole(1000), fresh, 'the last hour').level).toBe('fine');
    expect(headline([], [], whole(0), fresh, 'the last hour').level).toBe('unknown');
    const late: Freshness = { ...fresh, state: 'late', behind_ms: 600_000 };
    const said = headline([app('5.2.1', 0, 900)], [], whole(1000), late, 'the last hour');
    expect(said.level).toBe('watch');
    expect(plain(said.notes[0] ?? '')).toContain('10 min behind');
  });

  it('tells of delivery that got worse for certain', () => {
    const now = { legs: 1000, legs_accepted: 1000, received_within_10s: 0.7 };
    const all: Group = { ...whole(1000, now), previous: { legs_accepted: 1000, received_within_10s: 0.93 } };
    expect(headline([], [], all, fresh, 'the last hour').notes.join()).toContain('within 10 s');
    const few: Group = {
      key: {},
      current: { ...now, legs_accepted: 5 },
      previous: { legs_accepted: 5, received_within_10s: 0.93 },
    };
    expect(headline([], [], few, fresh, 'the last hour').notes).toEqual([]);
  });
});

describe('a figure against a week ago', () => {
  const measure = { name: 'm', label: 'm', unit: 'ratio', formula: '', source: null, good: 'down' } as const;
  it('is better or worse by the measure’s own direction', () => {
    expect(delta(measure, 0.05, 0.01)?.sense).toBe('worse');
    expect(delta(measure, 0.01, 0.05)?.sense).toBe('better');
    expect(delta({ ...measure, good: 'up' }, 0.5, 0.4)?.text).toBe('▲ 10.0 points better than a week ago');
    expect(delta({ ...measure, good: 'none', unit: 'count' }, 150, 100)?.sense).toBe('neutral');
  });
  it('says nothing where there is nothing to compare', () => {
    expect(delta(measure, 0.5, null)).toBeNull();
    expect(delta({ ...measure, unit: 'count' }, 5, 0)).toBeNull();
    expect(delta(measure, 0.5, 0.5)?.sense).toBe('same');
  });
});
