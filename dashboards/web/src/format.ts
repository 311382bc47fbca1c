// Every number and time that people read goes through here. Pure but for the viewer's zone.
import type { Num, Unit } from './api/types';

const NARROW = '\u202f';
export const NONE = '–';

const grouped = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

export function count(value: Num | undefined): string {
  if (value === null || value === undefined) return NONE;
  return grouped.format(value).replaceAll(',', NARROW);
}

/** 12 345 -> "12.3k": for axes and narrow places. */
export function shortCount(value: Num): string {
  if (value === null) return NONE;
  const size = Math.abs(value);
  if (size < 1_000) return trimmed(value, 1);
  if (size < 1_000_000) return `${trimmed(value / 1_000, size < 100_000 ? 1 : 0)}k`;
  return `${trimmed(value / 1_000_000, size < 100_000_000 ? 1 : 0)}M`;
}

/** 0.0532 -> "5.3 %"; small shares keep a figure that says something. */
export function ratio(value: Num | undefined): string {
  if (value === null || value === undefined) return NONE;
  const percent = value * 100;
  if (percent === 0) return `0${NARROW}%`;
  if (percent < 0.01) return `<${NARROW}0.01${NARROW}%`;
  if (percent < 1) return `${percent.toFixed(2)}${NARROW}%`;
  if (percent > 99.9 && percent < 100) return `${(Math.floor(percent * 100) / 100).toFixed(2)}${NARROW}%`;
  return `${percent === 100 ? '100' : percent.toFixed(1)}${NARROW}%`;
}

export function ms(value: Num | undefined): string {
  if (value === null || value === undefined) return NONE;
  const size = Math.abs(value);
  const sign = value < 0 ? '−' : '';
  if (size < 1_000) return `${sign}${Math.round(size)}${NARROW}ms`;
  if (size < 10_000) return `${sign}${(size / 1_000).toFixed(2)}${NARROW}s`;
  if (size < 60_000) return `${sign}${(size / 1_000).toFixed(1)}${NARROW}s`;
  return sign + longer(Math.round(size / 1_000));
}

function longer(seconds: number): string {
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${NARROW}${unit}`)
    .join(' ');
}

export function bytes(value: Num): string {
  if (value === null) return NONE;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (size >= 1_000 && unit < units.length - 1) {
    size /= 1_000;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)}${NARROW}${units[unit]}`;
}

export function byUnit(value: Num | undefined, unit: Unit): string {
  if (unit === 'ratio') return ratio(value);
  if (unit === 'ms') return ms(value);
  if (unit === 's') return ms(value === null || value === undefined ? null : value * 1_000);
  return count(value);
}

export function axis(value: number, unit: Unit): string {
  if (unit === 'ratio') return `${trimmed(value * 100, 2)}%`;
  if (unit === 'ms')
    return value === 0 ? '0' : value < 1_000 ? `${trimmed(value, 1)}ms` : `${trimmed(value / 1_000, 1)}s`;
  return shortCount(value);
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const minute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** "14:03:09" today, "24 Nov 14:03" before; in the viewer's zone. */
export function time(at: number, now = Date.now()): string {
  const sameDay = day.format(at) === day.format(now);
  return sameDay ? clock.format(at) : `${day.format(at)} ${minute.format(at)}`;
}

export function preciseTime(at: number): string {
  return `${clock.format(at)}.${String(((at % 1_000) + 1_000) % 1_000).padStart(3, '0')}`;
}

export function dayAndTime(at: number): string {
  return `${day.format(at)} ${minute.format(at)}`;
}

/** For hovering: "2026-11-25 14:03:09.120 UTC". */
export function utc(at: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return NONE;
  return `${date.toISOString().replace('T', ' ').replace('Z', '')} UTC`;
}

export function ago(at: number, now: number): string {
  const past = now - at;
  return past < 1_000
    ? 'now'
    : `${ms(past < 60_000 ? Math.round(past / 1_000) * 1_000 : past)
        .replace('.0', '')
        .replace('.00', '')} ago`;
}

/** "1 call", "2 calls". */
export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

export function shownValue(value: string | null): string {
  return value === null || value === '' ? 'unknown' : value;
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
