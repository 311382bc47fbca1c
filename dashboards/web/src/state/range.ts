// Time ranges as people say them. Pure.

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export const PRESETS = [
  { from: 'now-15m', label: '15 minutes' },
  { from: 'now-30m', label: '30 minutes' },
  { from: 'now-1h', label: 'hour' },
  { from: 'now-6h', label: '6 hours' },
  { from: 'now-24h', label: '24 hours' },
  { from: 'now-7d', label: '7 days' },
  { from: 'now-30d', label: '30 days' },
] as const;

/** Milliseconds since the epoch of `now`, `now-24h`, an integer or RFC 3339; null when it is none of them. */
export function instant(text: string, now: number): number | null {
  if (text === 'now') return now;
  const relative = /^now-(\d+)([smhd])$/.exec(text);
  if (relative) return now - Number(relative[1]) * (UNITS[relative[2] ?? ''] ?? 0);
  if (/^\d+$/.test(text)) return Number(text);
  const parsed = Date.parse(text);
  return Number.isNaN(parsed) ? null : parsed;
}

/** "the last 24 hours", or null for a range that is not one of the presets. */
export function presetWords(from: string, to: string): string | null {
  if (to !== 'now') return null;
  const preset = PRESETS.find((candidate) => candidate.from === from);
  return preset ? `the last ${preset.label}` : null;
}

/** The value of a `datetime-local` input, in the viewer's zone. */
export function toLocalInput(ms: number): string {
  const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 16);
}

/** How often a page that follows time should ask again. */
export function refreshEveryMs(from: string, now: number): number {
  const start = instant(from, now) ?? now - 86_400_000;
  const span = now - start;
  if (span <= 3_600_000) return 10_000;
  return span <= 2 * 86_400_000 ? 30_000 : 120_000;
}
