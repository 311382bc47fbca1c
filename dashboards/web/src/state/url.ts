// What the address bar says: range, filters, grouping, and what only one page knows. Pure.

export const FILTERS = [
  'tenant',
  'app',
  'app_version',
  'platform',
  'os_major',
  'os_version',
  'device_model',
  'country',
  'carrier',
  'network',
  'channel',
  'build_channel',
  'verdict',
  'outcome',
  'diagnosis',
] as const;

export type FilterName = (typeof FILTERS)[number];
export type Extra = Record<string, string | number | readonly string[] | null | undefined>;

export const DEFAULT_FROM = 'now-24h';
export const DEFAULT_TO = 'now';

/** Filters that only lists know; links to a list carry them, other pages don't. */
export const LIST_FILTERS = [
  'device',
  'slower_than',
  'faster_than',
  'rejected_with',
  'end_reason',
  'stage_reached',
  'stage_missing',
  'call_outcome',
] as const;

export function isFilter(name: string): name is FilterName {
  return (FILTERS as readonly string[]).includes(name);
}

export function rangeOf(params: URLSearchParams): { from: string; to: string } {
  return { from: params.get('from') || DEFAULT_FROM, to: params.get('to') || DEFAULT_TO };
}

/** Whether the range ends in now, so that what is shown should follow time. */
export function isLive(params: URLSearchParams): boolean {
  return rangeOf(params).to === 'now';
}

export function filtersOf(params: URLSearchParams): { name: FilterName; value: string }[] {
  return FILTERS.flatMap((name) => unique(params.getAll(name)).map((value) => ({ name, value })));
}

export function withRange(params: URLSearchParams, from: string, to: string): URLSearchParams {
  const next = new URLSearchParams(params);
  setOrDelete(next, 'from', from === DEFAULT_FROM ? null : from);
  setOrDelete(next, 'to', to === DEFAULT_TO ? null : to);
  next.delete('cursor');
  return ordered(next);
}

export function toggled(params: URLSearchParams, name: string, value: string): URLSearchParams {
  const values = unique(params.getAll(name));
  const rest = values.includes(value) ? values.filter((other) => other !== value) : [...values, value];
  const next = new URLSearchParams(params);
  next.delete(name);
  for (const other of rest) next.append(name, other);
  return ordered(next);
}

export function withParam(params: URLSearchParams, name: string, value: string | null): URLSearchParams {
  const next = new URLSearchParams(params);
  setOrDelete(next, name, value);
  return ordered(next);
}

export function withoutFilters(params: URLSearchParams): URLSearchParams {
  const next = new URLSearchParams(params);
  for (const name of [...FILTERS, ...LIST_FILTERS, 'q', 'rule', 'severity', 'level']) next.delete(name);
  return ordered(next);
}

/** Range and filters alone: what goes along from page to page, and into every question to the API. */
export function carried(params: URLSearchParams): URLSearchParams {
  const next = new URLSearchParams();
  for (const name of ['from', 'to', 'role', ...FILTERS]) {
    for (const value of unique(params.getAll(name))) next.append(name, value);
  }
  return ordered(next);
}

/** A question to the API: range, filters and what the panel adds. */
export function question(params: URLSearchParams, extra: Extra = {}): URLSearchParams {
  return ordered(merged(carried(params), extra));
}

/** A question with some parameters of the address alone: where the API knows no others. */
export function picked(
  params: URLSearchParams,
  names: readonly string[],
  extra: Extra = {},
): URLSearchParams {
  const next = new URLSearchParams();
  for (const name of names) {
    for (const value of unique(params.getAll(name))) next.append(name, value);
  }
  return ordered(merged(next, extra));
}

/** A link to a page with range and filters, where `extra` replaces what it names. */
export function link(path: string, params: URLSearchParams, extra: Extra = {}): string {
  const text = ordered(merged(carried(params), extra)).toString();
  return text === '' ? path : `${path}?${text}`;
}

/** A link to the calls (or legs) behind a figure. */
export function drill(params: URLSearchParams, extra: Extra, view: 'legs' | 'calls' = 'legs'): string {
  return link('/calls', params, { ...extra, view: view === 'legs' ? 'legs' : null });
}

function merged(base: URLSearchParams, extra: Extra): URLSearchParams {
  const next = new URLSearchParams(base);
  for (const [name, value] of Object.entries(extra)) {
    if (value === undefined) continue;
    next.delete(name);
    if (value === null) continue;
    for (const one of Array.isArray(value) ? value : [value]) next.append(name, String(one));
  }
  return next;
}

function ordered(params: URLSearchParams): URLSearchParams {
  const first = ['from', 'to', 'role', ...FILTERS] as string[];
  const rank = (name: string) => (first.indexOf(name) + 1 || first.length + 1) - 1;
  const entries = [...params.entries()].map((entry, index) => ({ entry, index }));
  entries.sort((a, b) => rank(a.entry[0]) - rank(b.entry[0]) || a.index - b.index);
  return new URLSearchParams(entries.map(({ entry }) => entry));
}

function setOrDelete(params: URLSearchParams, name: string, value: string | null): void {
  if (value === null || value === '') params.delete(name);
  else params.set(name, value);
}

function unique(values: string[]): string[] {
  return [...new Set(values)];
}
