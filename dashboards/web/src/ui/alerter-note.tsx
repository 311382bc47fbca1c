// Says when what is shown was last judged: an empty list means nothing where no alerter runs.
import type { Alerter } from '../api/risk';
import { ago } from '../format';
import { judged } from '../model/alerts';
import { Time } from './time';

/** `alerter` undefined: not known yet. */
export function AlerterNote({ alerter }: { alerter: Alerter | undefined }) {
  if (alerter === undefined) return null;
  const now = Date.now();
  const when = judged(alerter, now);
  if (alerter === null || when === 'never') {
    return (
      <p class="state-note" role="status">
        <span>
          Nobody has judged yet: no alerter has run on these tables. Start one with{' '}
          <code>ringtrace alert</code>.
        </span>
      </p>
    );
  }
  if (when === 'now') return null;
  return (
    <p class="state-note" role="status">
      <span>
        Last judged <Time at={alerter.written_at} /> ({ago(alerter.written_at, now)}): the alerter has
        stopped, or the pipeline is behind and rules wait for it. What you see is as of then.
      </span>
    </p>
  );
}
