import { describe, expect, it } from 'vitest';
import { instant, presetWords, refreshEveryMs } from '../src/state/range';
import {
  drill,
  filtersOf,
  isLive,
  link,
  question,
  rangeOf,
  toggled,
  withoutFilters,
  withRange,
} from '../src/state/url';

const of = (text: string) => new URLSearchParams(text);

describe('the address', () => {
  it('has the last 24 hours where it says nothing', () => {
    expect(rangeOf(of(''))).toEqual({ from: 'now-24h', to: 'now' });
    expect(isLive(of(''))).toBe(true);
    expect(isLive(of('from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z'))).toBe(false);
  });

  it('leaves the usual range out', () => {
    expect(withRange(of('from=now-7d&app=a'), 'now-24h', 'now').toString()).toBe('app=a');
    expect(withRange(of('app=a&cursor=x'), 'now-1h', 'now').toString()).toBe('from=now-1h&app=a');
  });

  it('adds and removes a value of a filter, and keeps the others', () => {
    const two = toggled(of('app=a&stage=talk'), 'app', 'b');
    expect(two.toString()).toBe('app=a&app=b&stage=talk');
    expect(toggled(two, 'app', 'a').toString()).toBe('app=b&stage=talk');
  });

  it('knows the unknown value as a filter, and a repeated one once', () => {
    expect(filtersOf(of('carrier=&carrier=&app=a'))).toEqual([
      { name: 'app', value: 'a' },
      { name: 'carrier', value: '' },
    ]);
  });

  it('survives values with every kind of sign', () => {
    const nasty = 'a&b=c+d #%/é?';
    const href = link('/calls', of(''), { app: nasty });
    expect(new URL(href, 'http://x').searchParams.get('app')).toBe(nasty);
  });

  it('takes range and filters from page to page, and nothing else', () => {
    expect(link('/answers', of('from=now-1h&app=a&stage=talk&group_by=os_major'))).toBe(
      '/answers?from=now-1h&app=a',
    );
    expect(link('/', of(''))).toBe('/');
  });

  it('asks the API only what it knows', () => {
    expect(question(of('stage=talk&q=x&app=a'), { limit: 8, compare: undefined }).toString()).toBe(
      'app=a&limit=8',
    );
  });

  it('replaces a filter in a drill-down', () => {
    const href = drill(of('verdict=reported&app=a'), { verdict: 'unreported', from: 1, to: 2 });
    expect(href).toBe('/calls?from=1&to=2&app=a&verdict=unreported&view=legs');
    expect(drill(of(''), { call_outcome: ['answered', 'busy'] }, 'calls')).toBe(
      '/calls?call_outcome=answered&call_outcome=busy',
    );
  });

  it('forgets every filter at once', () => {
    expect(withoutFilters(of('from=now-1h&app=a&slower_than=talk:5&view=legs')).toString()).toBe(
      'from=now-1h&view=legs',
    );
  });
});

describe('ranges', () => {
  it('are read in every form that the API takes', () => {
    expect(instant('now', 1000)).toBe(1000);
    expect(instant('now-15m', 1_000_000)).toBe(100_000);
    expect(instant('1764061200000', 0)).toBe(1764061200000);
    expect(instant('2026-11-25T09:00:00Z', 0)).toBe(Date.UTC(2026, 10, 25, 9));
    expect(instant('yesterday', 0)).toBeNull();
  });

  it('have words where they are presets', () => {
    expect(presetWords('now-24h', 'now')).toBe('the last 24 hours');
    expect(presetWords('now-24h', 'now-1h')).toBeNull();
  });

  it('are asked again more seldom the longer they are', () => {
    const paces = ['now-15m', 'now-24h', 'now-30d'].map((from) => refreshEveryMs(from, Date.now()));
    expect(paces).toEqual([...paces].sort((a, b) => a - b));
  });
});
