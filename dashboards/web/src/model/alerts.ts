// Alerts in words. Pure.
import type { Alerter, Episode } from '../api/risk';
import { ms, NONE } from '../format';

const NAMES: Record<string, string> = { tenant_id: 'tenant', app_id: 'app', os_major: 'OS major version' };

/** What an alert is about: names and values, those of the app first; an unknown value says so. */
export function about(labels: Record<string, string>): { name: string; value: string }[] {
  const rank = (name: string) => ['app_id', 'app_version', 'tenant_id'].indexOf(name) + 1 || 9;
  return Object.entries(labels)
    .sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b))
    .map(([name, value]) => ({
      name: NAMES[name] ?? name.replaceAll('_', ' '),
      value: value === '' ? 'unknown' : value,
    }));
}

/** "push-without-call-fast" -> "Push without call fast". */
export function ruleWords(rule: string): string {
  const words = rule.replaceAll('-', ' ').replace(/\bvoip\b/, 'VoIP');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** How long it fired, in milliseconds; until now where it still does. */
export function lasted(episode: Episode, now: number): number | null {
  return episode.fired_at === null ? null : Math.max(0, (episode.resolved_at ?? now) - episode.fired_at);
}

/** "25 s", "1 min 28 s": nobody counts tenths of how long an alert fired. */
export function lengthWords(length: number | null): string {
  if (length === null) return NONE;
  return length < 60_000 ? `${Math.round(length / 1_000)} s` : ms(length);
}

/** The alerter writes its clock once a minute. */
const LATE_MS = 180_000;

/** Whether what is shown is as of now, as of some time ago, or of never. */
export function judged(alerter: Alerter, now: number): 'now' | 'before' | 'never' {
  if (alerter === null) return 'never';
  return now - alerter.written_at > LATE_MS ? 'before' : 'now';
}
