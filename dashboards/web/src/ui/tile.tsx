// One figure: its value, how it stands against a week ago, its shape over the range, and where to look further.
import type { Measures, Num } from '../api/types';
import { Spark } from '../charts/spark';
import { byUnit } from '../format';
import { type Delta, delta } from '../model/delta';
import { useWords } from './context';

interface TileProps {
  measure: string;
  label: string;
  href: string;
  current: Measures;
  previous: Measures | null;
  trend?: Num[] | undefined;
  note?: string | undefined;
  /** The figure is still being asked for. */
  waits?: boolean;
}

export function Tile({ measure, label, href, current, previous, trend, note, waits = false }: TileProps) {
  const definition = useWords().measure(measure);
  const change = previous === null ? null : delta(definition, current[measure], previous[measure]);
  return (
    <div class="tile">
      <a class="tile-link" href={href}>
        <span class="tile-label">{label}</span>
        <span class="tile-value">{byUnit(current[measure], definition.unit)}</span>
      </a>
      {waits ? (
        <span class="delta delta-neutral">loading…</span>
      ) : (
        previous !== null && <DeltaText change={change} />
      )}
      {note && <span class="tile-note">{note}</span>}
      {trend && <Spark values={trend} />}
      <details class="how">
        <summary>
          How <span class="hidden">{label} is computed</span>
        </summary>
        <p>
          {definition.formula}
          {definition.source && <span class="source"> {definition.source}</span>}
        </p>
      </details>
    </div>
  );
}

export function DeltaText({ change }: { change: Delta | null }) {
  if (change === null) return <span class="delta delta-neutral">no figures a week ago</span>;
  return <span class={`delta delta-${change.sense}`}>{change.text}</span>;
}
