import { describe, expect, it } from 'vitest';
import { createParser } from '../src/api/sse-parser';
import type { Group, Series } from '../src/api/types';
import { between, rangeFilters, trimmedBounds } from '../src/charts/bounds';
import { moved } from '../src/charts/cursor-keys';
import { drillTo } from '../src/charts/drill-link';
import { linesOf, stacked } from '../src/charts/lines';
import { sparkPoints } from '../src/charts/spark';
import { targetOf } from '../src/model/drill';
import { byVersion, matrixOf } from '../src/pages/violations/matrix';

const series: Series = {
  from: 0,
  to: 2000,
  bucket_ms: 1000,
  times: [0, 1000],
  truncated: false,
  groups: [
    {
      key: {},
      current: { violation_rate: [0.1, null], sent_to_received_p95: [812.4, 900] },
      previous: { violation_rate: [0.2, 0] },
    },
  ],
};
const measure = { name: 'violation_rate', label: 'Violation rate' };

describe('lines', () => {
  it('are followed by those of a week before', () => {
    const { lines } = linesOf(series, [measure], 'ratio');
    expect(lines.map((line) => [line.label, line.previous])).toEqual([
      ['Violation rate', false],
      ['a week before', true],
    ]);
  });

  it('leave out a week before that has nothing', () => {
    const empty = {
      ...series,
      groups: [{ key: {}, current: { violation_rate: [0, 1] }, previous: { violation_rate: [null, 0] } }],
    };
    expect(linesOf(empty, [measure], 'ratio').lines).toHaveLength(1);
  });

  it('carry their group into the drill-down, the unknown value too', () => {
    const grouped = {
      ...series,
      groups: [{ key: { carrier: null }, current: { violation_rate: [1, 1] }, previous: null }],
    };
    const drawn = linesOf(grouped, [measure], 'ratio');
    expect(drillTo(new URLSearchParams(), drawn, 1)).toBe(
      '/calls?from=1000&to=2000&carrier=&verdict=unreported&view=legs',
    );
  });

  it('of a percentile lead to the legs above it', () => {
    const drawn = linesOf(series, [{ name: 'sent_to_received_p95', label: 'p95' }], 'ms');
    expect(drillTo(new URLSearchParams(), drawn, 0)).toContain('slower_than=sent_to_received%3A812');
  });

  it('stack so that each is drawn over those after it', () => {
    const line = (values: (number | null)[]) => ({
      label: '',
      measure: '',
      values,
      previous: false,
      key: {},
    });
    expect(stacked([line([1, 2]), line([10, null]), line([100, 100])])).toEqual([
      [111, 102],
      [110, 100],
      [100, 100],
    ]);
  });

  it('break where nothing is known', () => {
    expect(sparkPoints([1, 2, null, 3, 4])).toHaveLength(2);
    expect(sparkPoints([null, 1])).toHaveLength(0);
  });
});

describe('drill-downs', () => {
  it('know what stands behind a measure', () => {
    expect(targetOf('call_outcome_busy', 3)).toMatchObject({
      view: 'calls',
      filters: { call_outcome: 'busy' },
    });
    expect(targetOf('verdict_no_receipt', 3)).toMatchObject({
      view: 'legs',
      filters: { verdict: 'no_receipt' },
    });
    expect(targetOf('received_within_5s', 0.9).filters).toEqual({ slower_than: 'sent_to_received:5000' });
    expect(targetOf('something_new', 1).filters).toEqual({});
  });
});

describe('buckets', () => {
  const bounds = [10, 20, 40, null];
  it('are trimmed to what holds something', () => {
    expect(trimmedBounds([0, 0, 5, 0])).toEqual({ first: 1, last: 3 });
    expect(trimmedBounds([0, 0, 0])).toEqual({ first: 0, last: 2 });
  });
  it('have words and filters', () => {
    expect(between(bounds, 1).replaceAll('\u202f', ' ')).toBe('10 ms to 20 ms');
    expect(rangeFilters('talk', bounds, 1)).toEqual({ slower_than: 'talk:10', faster_than: 'talk:20' });
    expect(rangeFilters('talk', bounds, 3).faster_than).toBeUndefined();
  });
});

describe('the cursor', () => {
  it('stays inside', () => {
    expect(moved('ArrowRight', 4, 5)).toBe(4);
    expect(moved('ArrowLeft', 0, 5)).toBe(0);
    expect(moved('ArrowLeft', null, 5)).toBe(4);
    expect(moved('Escape', 3, 5)).toBeNull();
    expect(moved('a', 3, 5)).toBeUndefined();
  });
});

describe('the matrix', () => {
  const group = (
    app_version: string,
    os_version: string,
    violations: number,
    required_reports: number,
  ): Group => ({
    key: { app_version, os_version },
    current: { violations, required_reports, violation_rate: violations / required_reports },
    previous: null,
  });
  it('orders versions as numbers, newest app first', () => {
    const matrix = matrixOf(
      [group('5.9', '17.9', 0, 9), group('5.10', '17.10', 9, 50), group('5.10', '17.9', 0, 0)],
      'app_version',
      'os_version',
    );
    expect(matrix.rows).toEqual(['5.10', '5.9']);
    expect(matrix.columns).toEqual(['17.9', '17.10']);
    expect(matrix.cell('5.10', '17.9')).toBeNull();
    expect(matrix.cell('5.10', '17.10')?.level).toBe(3);
    expect(matrix.cell('5.9', '17.9')?.level).toBe(0);
  });
  it('does not shade few reports', () => {
    expect(matrixOf([group('1', '1', 1, 2)], 'app_version', 'os_version').cell('1', '1')?.level).toBe(1);
  });
  it('compares what is no number too', () => {
    expect(['1.0', '', '1.0-beta', '0.9'].sort(byVersion)).toEqual(['', '0.9', '1.0', '1.0-beta']);
  });
});

describe('server-sent events', () => {
  it('are whole whatever the pieces', () => {
    const parse = createParser();
    const text = ': beat\n\nid: 7\r\nevent: leg\r\ndata: {"a":\ndata: 1}\n\ndata: x\n\n';
    const events = [...text].flatMap((sign) => parse(sign));
    expect(events).toEqual([
      { event: 'leg', data: '{"a":\n1}', id: '7' },
      { event: 'message', data: 'x', id: '7' },
    ]);
  });
});
