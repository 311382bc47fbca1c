import { describe, expect, it } from 'vitest';
import type { Episode, LevelStep } from '../src/api/risk';
import { about, judged, lasted, ruleWords } from '../src/model/alerts';
import { stepLine, trendOf } from '../src/model/levels';
import { nextOrder, type Order, type Sortable, sorted } from '../src/model/sort';
import { picked } from '../src/state/url';

const steps = (...all: [number, LevelStep['level']][]): LevelStep[] =>
  all.map(([at, level]) => ({ at, level, reason: 'because' }));

describe('a trend', () => {
  it('says what became of a level since the range began', () => {
    expect(trendOf(steps([50, 'ok'], [150, 'critical']), 'critical', 100)).toEqual({
      sense: 'worse',
      text: '▲ worse, was ok',
    });
    expect(trendOf(steps([50, 'critical'], [150, 'watch']), 'watch', 100).sense).toBe('better');
    expect(trendOf(steps([50, 'watch']), 'watch', 100).text).toBe('unchanged');
    expect(trendOf(steps([50, 'ok'], [120, 'watch'], [150, 'ok']), 'ok', 100).text).toContain('2 changes');
    expect(trendOf(steps([120, 'ok']), 'ok', 100).text).toContain('first judged');
    expect(trendOf([], 'ok', 100).text).toBe('no history');
  });

  it('is drawn as steps within the range, worse levels higher', () => {
    expect(stepLine(steps([50, 'ok'], [150, 'critical']), 100, 200)).toBe(
      '0.0,25 50.0,25 50.0,2.5 100.0,2.5',
    );
    expect(stepLine(steps([150, 'watch']), 100, 200)).toBe('50.0,17.5 100.0,17.5');
  });
});

describe('an alert', () => {
  const episode = { fired_at: 1_000, resolved_at: null } as Episode;

  it('says what it is about, the app first', () => {
    const labels = { tenant_id: 'acme', channel: 'apns_voip', app_id: 'com.acme.talk', carrier: '' };
    expect(about(labels).map(({ name, value }) => `${name} ${value}`)).toEqual([
      'app com.acme.talk',
      'tenant acme',
      'carrier unknown',
      'channel apns_voip',
    ]);
    expect(ruleWords('push-without-call-fast')).toBe('Push without call fast');
  });

  it('lasts until it is resolved, or until now', () => {
    expect(lasted(episode, 5_000)).toBe(4_000);
    expect(lasted({ ...episode, resolved_at: 3_000 }, 5_000)).toBe(2_000);
    expect(lasted({ ...episode, fired_at: null }, 5_000)).toBeNull();
  });

  it('is of now only where the alerter has looked lately', () => {
    expect(judged(null, 0)).toBe('never');
    expect(judged({ log_clock: 0, written_at: 1_000 }, 2_000)).toBe('now');
    expect(judged({ log_clock: 0, written_at: 1_000 }, 600_000)).toBe('before');
  });
});

describe('a table', () => {
  const rows = [
    { version: '5.10.0', strikes: 1 },
    { version: '5.9.0', strikes: null },
    { version: '5.2.0', strikes: 3 },
  ];

  it('is sorted by a column, and what is not known goes last', () => {
    const by = (order: Order, value: (row: (typeof rows)[0]) => Sortable) =>
      sorted(rows, order, value).map((row) => row.version);
    expect(by({ column: 0, descending: false }, (row) => row.version)).toEqual(['5.2.0', '5.9.0', '5.10.0']);
    expect(by({ column: 1, descending: true }, (row) => row.strikes)).toEqual(['5.2.0', '5.10.0', '5.9.0']);
    expect(by({ column: 1, descending: false }, (row) => row.strikes)).toEqual(['5.10.0', '5.2.0', '5.9.0']);
  });

  it('is as it came again after a third press', () => {
    const first = nextOrder(null, 1, true);
    expect(first).toEqual({ column: 1, descending: true });
    const second = nextOrder(first, 1, true);
    expect(second).toEqual({ column: 1, descending: false });
    expect(nextOrder(second, 1, true)).toBeNull();
    expect(nextOrder(second, 0, false)).toEqual({ column: 0, descending: false });
  });
});

describe('a question of a page that knows few filters', () => {
  it('has those alone', () => {
    const params = new URLSearchParams('from=now-1h&carrier=x&app=a&app=b&level=watch');
    expect(picked(params, ['from', 'app'], { limit: 5 }).toString()).toBe('from=now-1h&app=a&app=b&limit=5');
  });
});
