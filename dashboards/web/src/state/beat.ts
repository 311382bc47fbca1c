// When to ask again: at a pace that fits the range while it ends in now, and as soon as a lost connection is back.
import { BASE } from '../api/client';
import { refreshEveryMs } from './range';
import { beat, connection } from './session';
import { isLive, rangeOf } from './url';

const PROBE_MS = 2_000;

export function startBeat(): void {
  let last = Date.now();
  const next = () => {
    last = Date.now();
    beat.set(beat.get() + 1);
  };
  setInterval(() => {
    const params = new URLSearchParams(window.location.search);
    if (document.hidden || connection.get().lostAt !== null || !isLive(params)) return;
    if (Date.now() - last >= refreshEveryMs(rangeOf(params).from, Date.now())) next();
  }, 1_000);
  document.addEventListener('visibilitychange', () => {
    const params = new URLSearchParams(window.location.search);
    if (!document.hidden && isLive(params) && Date.now() - last > 10_000) next();
  });
  connection.subscribe(() => {
    if (connection.get().lostAt === null) next();
    else void probe();
  });
}

/** Any answer means that the server is back: even a refusal is one. */
async function probe(): Promise<void> {
  while (connection.get().lostAt !== null) {
    await new Promise((resolve) => setTimeout(resolve, PROBE_MS));
    try {
      await fetch(`${BASE}/openapi.json`, { method: 'HEAD', cache: 'no-store' });
      connection.set({ lostAt: null });
    } catch {
      // Still away; the banner says so.
    }
  }
}
