// Names of a chart's lines with their dash and colour, and their values at the cursor.
import { byUnit } from '../format';
import { DASHES } from './colours';
import type { Drawn } from './lines';
import type { PlotKind } from './plot';

interface LegendProps {
  drawn: Drawn;
  kind: PlotKind;
  index: number | null;
}

export function Legend({ drawn, kind, index }: LegendProps) {
  let colour = 0;
  return (
    <ul class="legend">
      {drawn.lines.map((line) => {
        const own = line.previous ? null : colour++;
        return (
          <li key={`${line.label}${line.previous}`}>
            <Swatch own={own} kind={kind} />
            {line.label}
            {index !== null && <span class="num">{byUnit(line.values[index] ?? null, drawn.unit)}</span>}
          </li>
        );
      })}
    </ul>
  );
}

function Swatch({ own, kind }: { own: number | null; kind: PlotKind }) {
  const name = own === null ? 'swatch-before' : `swatch-${(own % 8) + 1}`;
  const dash = own === null ? [3, 3] : (DASHES[own % DASHES.length] ?? []);
  return (
    <svg class={`swatch ${name}`} viewBox="0 0 22 10" aria-hidden="true" focusable="false">
      {kind === 'stack' ? (
        <rect width="10" height="10" x="6" rx="2" />
      ) : (
        <line x1="0" x2="22" y1="5" y2="5" stroke-dasharray={dash.join(' ')} />
      )}
    </svg>
  );
}
