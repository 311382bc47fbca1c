// Values over time: uPlot draws, the cursor reads aloud, a click or Enter opens the calls of a bucket, dragging zooms.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { byUnit } from '../format';
import { drillTo } from './drill-link';
import { navigate, navigateTo } from '../state/router';
import { shown } from '../state/session';
import { useStore } from '../state/store';
import { withRange } from '../state/url';
import { useParams } from '../ui/context';
import { useCursor } from './cursor';
import { DataTable } from './data-table';
import { Legend } from './legend';
import { bucketWords, type Drawn, stacked } from './lines';
import { type PlotKind, plotOptions } from './plot';

interface TimeChartProps {
  title: string;
  drawn: Drawn;
  kind?: PlotKind;
  /** False where a bucket has no calls behind it, as the pipeline's figures. */
  drills?: boolean;
}

export function TimeChart({ title, drawn, kind = 'line', drills = true }: TimeChartProps) {
  const params = useParams();
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const look = useStore(shown);
  const href = (index: number) => (drills ? drillTo(params, drawn, index) : null);
  const text = (index: number) => reading(drawn, index);
  const cursor = useCursor({ label: title, count: drawn.times.length, text, href });
  const actions = useRef({ cursor, href, params });
  actions.current = { cursor, href, params };

  const shape = drawn.lines.map((line) => `${line.label}${line.previous}`).join('|');
  // A new shape or theme needs a new plot, new data does not
  useEffect(() => {
    const box = holder.current;
    if (box === null) return;
    const made = new uPlot(
      plotOptions(drawn, kind, box.clientWidth, {
        onIndex: (index) => index !== null && actions.current.cursor.set(index),
        onPick: (index) => {
          const target = actions.current.href(index);
          if (target !== null) navigate(target);
        },
        onZoom: (from, to) => navigateTo(withRange(actions.current.params, iso(from), iso(to))),
      }),
      plotData(drawn, kind),
      box,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: box.clientWidth, height: made.height }));
    observer.observe(box);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, look, kind, drawn.unit]);

  useEffect(() => plot.current?.setData(plotData(drawn, kind)), [drawn, kind]);

  const at = cursor.index;
  return (
    <div class="chart">
      <Legend drawn={drawn} kind={kind} index={at} />
      <div class="plot" {...cursor.props} ref={holder} />
      <p class="readout" aria-hidden="true">
        {at === null ? (
          hint(drills)
        ) : (
          <>
            <strong>{bucketWords(drawn, at)}</strong>{' '}
            {drills && (
              <a href={href(at) ?? '#'} tabIndex={-1}>
                Open the calls behind it
              </a>
            )}
          </>
        )}
      </p>
      <DataTable title={title} drawn={drawn} href={href} />
    </div>
  );
}

function hint(drills: boolean): string {
  return drills ? 'Click a moment for the calls behind it; drag to zoom.' : 'Drag to zoom.';
}

function plotData(drawn: Drawn, kind: PlotKind): uPlot.AlignedData {
  const values = kind === 'stack' ? stacked(drawn.lines) : drawn.lines.map((line) => line.values);
  return [drawn.times, ...values] as uPlot.AlignedData;
}

function iso(at: number): string {
  return new Date(Math.round(at)).toISOString().replace(/\.\d+Z$/, 'Z');
}

function reading(drawn: Drawn, index: number): string {
  const values = drawn.lines.map(
    (line) => `${line.label}: ${byUnit(line.values[index] ?? null, drawn.unit)}`,
  );
  return `${bucketWords(drawn, index)}: ${values.join(', ')}`;
}
