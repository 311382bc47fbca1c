// Latency over time: darker is more legs. A moment across, the latency up.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Distribution } from '../api/types';
import { count, dayAndTime, ms, time } from '../format';
import { navigate } from '../state/router';
import { shown } from '../state/session';
import { useStore } from '../state/store';
import { drill } from '../state/url';
import { useParams } from '../ui/context';
import { between, rangeFilters, trimmedBounds } from './bounds';
import { heatColour } from './colours';
import { useCursor } from './cursor';

export function Heatmap({ title, data }: { title: string; data: Distribution }) {
  const params = useParams();
  const look = useStore(shown);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { times, counts, bucket_ms } = data.heatmap;
  const sums = data.bounds.map((_, row) => counts.reduce((sum, column) => sum + (column[row] ?? 0), 0));
  const { first, last } = trimmedBounds(sums);
  const rows = last - first + 1;
  const [row, setRow] = useState(0);
  const bound = first + Math.min(row, rows - 1);

  // A new theme has new colours
  useEffect(() => {
    if (canvas.current) paint(canvas.current, counts, first, rows);
  }, [data, look]);

  const words = (column: number) => {
    const from = times[column] ?? 0;
    return `${dayAndTime(from)}–${time(from + bucket_ms)}, ${between(data.bounds, bound)}: ${count(counts[column]?.[bound] ?? 0)} legs`;
  };
  const href = (column: number) => {
    const from = times[column] ?? 0;
    return drill(params, { from, to: from + bucket_ms, ...rangeFilters(data.stage, data.bounds, bound) });
  };
  const vertical = (step: 1 | -1) => setRow(Math.min(rows - 1, Math.max(0, row + step)));
  const label = `${title}; up and down choose the latency`;
  const cursor = useCursor({ label, count: times.length, text: words, href, vertical });
  const follow = (event: MouseEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const y = (event.clientY - box.top) / box.height;
    cursor.set(Math.min(times.length - 1, Math.max(0, Math.floor(x * times.length))));
    setRow(Math.min(rows - 1, Math.max(0, rows - 1 - Math.floor(y * rows))));
  };
  const at = cursor.index;
  return (
    <div class="chart">
      <div class="heat">
        <Scale bounds={data.bounds} first={first} rows={rows} />
        {/* biome-ignore lint/a11y/noStaticElementInteractions: the props make it a slider */}
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: and bring its keys */}
        <div
          class="heat-field"
          {...cursor.props}
          onMouseMove={follow}
          onClick={() => at !== null && navigate(href(at))}
        >
          <canvas ref={canvas} />
          {at !== null && (
            <svg
              viewBox={`0 0 ${times.length} ${rows}`}
              preserveAspectRatio="none"
              aria-hidden="true"
              focusable="false"
            >
              <rect class="heat-at" x={at} y={rows - 1 - (bound - first)} width="1" height="1" />
            </svg>
          )}
        </div>
      </div>
      <div class="heat-times" aria-hidden="true">
        <span>{times[0] === undefined ? '' : dayAndTime(times[0])}</span>
        <span>{times.length === 0 ? '' : dayAndTime((times.at(-1) ?? 0) + bucket_ms)}</span>
      </div>
      <p class="readout" aria-hidden="true">
        {at === null ? (
          'Darker is more legs. Click a field for the legs behind it.'
        ) : (
          <>
            <strong>{words(at)}</strong>{' '}
            <a href={href(at)} tabIndex={-1}>
              Open these legs
            </a>
          </>
        )}
      </p>
    </div>
  );
}

function Scale({ bounds, first, rows }: { bounds: Distribution['bounds']; first: number; rows: number }) {
  const every = Math.max(1, Math.ceil(rows / 6));
  const ticks = [];
  for (let row = 0; row < rows - 1; row += every) ticks.push(row);
  return (
    <svg class="heat-scale" aria-hidden="true" focusable="false">
      {ticks.map((row) => (
        <text key={row} x="100%" y={`${100 - ((row + 1) / rows) * 100}%`} dy="4">
          {ms(bounds[first + row] ?? null)}
        </text>
      ))}
    </svg>
  );
}

/** One canvas pixel per field; the style sheet stretches it without smoothing. */
function paint(canvas: HTMLCanvasElement, counts: number[][], first: number, rows: number): void {
  canvas.width = Math.max(1, counts.length);
  canvas.height = Math.max(1, rows);
  const context = canvas.getContext('2d');
  if (context === null) return;
  const most = Math.max(1, ...counts.flat());
  counts.forEach((column, x) => {
    for (let row = 0; row < rows; row += 1) {
      const legs = column[first + row] ?? 0;
      if (legs === 0) continue;
      context.fillStyle = heatColour(0.12 + 0.88 * Math.sqrt(legs / most));
      context.fillRect(x, rows - 1 - row, 1, 1);
    }
  });
}
