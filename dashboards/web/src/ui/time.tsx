// A moment in the viewer's zone, with UTC on hover.
import { dayAndTime, NONE, preciseTime, time, utc } from '../format';

interface TimeProps {
  at: number | null;
  precise?: boolean;
  withDay?: boolean;
}

export function Time({ at, precise = false, withDay = false }: TimeProps) {
  if (at === null) return <span>{NONE}</span>;
  const text = precise ? preciseTime(at) : withDay ? dayAndTime(at) : time(at);
  return (
    <time dateTime={new Date(at).toISOString()} title={utc(at)}>
      {text}
    </time>
  );
}
