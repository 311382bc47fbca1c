// A question that a panel asks: loads by itself, keeps the old answer while it asks again, aborts what nobody waits for.
import { useEffect, useRef, useState } from 'preact/hooks';
import { beat, token } from '../state/session';
import { useStore } from '../state/store';
import { getJson, OfflineError, ProblemError } from './client';

export interface Query<T> {
  data: T | null;
  /** Why the last try failed; the old answer, if any, is still in `data`. */
  error: Error | null;
  /** A request is under way. */
  pending: boolean;
  /** The answer belongs to another question than the one asked now. */
  stale: boolean;
  retry: () => void;
}

interface Held<T> {
  data: T | null;
  of: string | null;
  error: Error | null;
  pending: boolean;
}

const NOTHING = { data: null, of: null, error: null, pending: true };

/** `path` null asks nothing. */
export function useQuery<T>(path: string | null, params?: URLSearchParams, follow = true): Query<T> {
  const url = path === null ? null : `${path}${params && params.size > 0 ? `?${params}` : ''}`;
  const [held, setHeld] = useState<Held<T>>(NOTHING);
  const [tries, setTries] = useState(0);
  const tick = useStore(beat);
  // What failed is asked again with the others, though it would not change by itself.
  const followed = follow || held.error !== null ? tick : 0;
  const secret = useStore(token);
  const retryTimer = useRef<number>(0);

  // A beat or a retry asks the same question again
  useEffect(() => {
    if (url === null) return;
    const abort = new AbortController();
    setHeld((old) => ({ ...old, pending: true }));
    getJson<T>(url, abort.signal).then(
      (data) => setHeld({ data, of: url, error: null, pending: false }),
      (error: Error) => {
        if (abort.signal.aborted) return;
        setHeld((old) => ({ ...old, error, pending: false }));
        const wait = retryAfterMs(error);
        if (wait !== null) retryTimer.current = window.setTimeout(() => setTries((n) => n + 1), wait);
      },
    );
    return () => {
      abort.abort();
      window.clearTimeout(retryTimer.current);
    };
  }, [url, followed, tries, secret]);

  return {
    data: held.data,
    error: held.error,
    pending: held.pending,
    stale: held.of !== url,
    retry: () => setTries((n) => n + 1),
  };
}

/** The server's own wish when to come back; a lost connection is the banner's to watch. */
function retryAfterMs(error: Error): number | null {
  if (error instanceof OfflineError || !(error instanceof ProblemError)) return null;
  const { status, retry_after_s } = error.problem;
  if (status !== 503 && status !== 429) return null;
  return Math.min(60, Math.max(1, retry_after_s ?? 5)) * 1_000;
}
