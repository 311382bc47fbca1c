// The live stream as state: at most a hundred rows, one a leg, held while paused.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Leg } from '../api/records';
import { follow, type StreamState } from '../api/sse';
import { token } from '../state/session';
import { useStore } from '../state/store';
import { question } from '../state/url';
import { useParams } from '../ui/context';

const KEPT = 100;

export interface Live {
  legs: Leg[];
  state: StreamState;
  seen: number;
  skipped: number;
  paused: boolean;
  waiting: number;
  pause: () => void;
}

export function useLive(): Live {
  const params = useParams();
  const secret = useStore(token);
  const asked = question(params, { from: null, to: null }).toString();
  const [shown, setShown] = useState<{ legs: Leg[]; seen: number; skipped: number }>({
    legs: [],
    seen: 0,
    skipped: 0,
  });
  const [state, setState] = useState<StreamState>('connecting');
  const [paused, setPaused] = useState(false);
  const [waiting, setWaiting] = useState(0);
  const isPaused = useRef(false);
  const latest = useRef(shown);

  // Another token is another stream
  useEffect(() => {
    const abort = new AbortController();
    latest.current = { legs: [], seen: 0, skipped: 0 };
    setShown(latest.current);
    setState('connecting');
    let frame = 0;
    const show = () => {
      frame = 0;
      if (!isPaused.current) setShown(latest.current);
    };
    const path = asked === '' ? '/live' : `/live?${asked}`;
    void follow(
      path,
      abort.signal,
      (event) => {
        const before = latest.current;
        if (event.event === 'leg') {
          const leg = JSON.parse(event.data) as Leg;
          latest.current = { ...before, legs: withLeg(before.legs, leg), seen: before.seen + 1 };
          if (isPaused.current) setWaiting((n) => n + 1);
        } else if (event.event === 'skipped') {
          const { count } = JSON.parse(event.data) as { count: number };
          latest.current = { ...before, skipped: before.skipped + count };
        }
        // Twice a second is as fast as anybody reads.
        if (frame === 0) frame = window.setTimeout(show, 500);
      },
      setState,
    );
    return () => {
      abort.abort();
      window.clearTimeout(frame);
    };
  }, [asked, secret]);

  const pause = () => {
    isPaused.current = !isPaused.current;
    setPaused(isPaused.current);
    setWaiting(0);
    if (!isPaused.current) setShown(latest.current);
  };
  return { ...shown, state, paused, waiting, pause };
}

/** The list with the leg on top and no older image of it. */
export function withLeg(legs: Leg[], leg: Leg): Leg[] {
  const same = (other: Leg) =>
    other.call_uuid === leg.call_uuid &&
    other.device_id === leg.device_id &&
    other.tenant_id === leg.tenant_id;
  return [leg, ...legs.filter((other) => !same(other))].slice(0, KEPT);
}
