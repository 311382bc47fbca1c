// uPlot's options in one place: axes, colours, the cursor, dragging to zoom.
import uPlot from 'uplot';
import { axis } from '../format';
import { DASHES, seriesColour, variable } from './colours';
import type { Drawn } from './lines';

export interface PlotEvents {
  onIndex: (index: number | null) => void;
  onPick: (index: number) => void;
  onZoom: (from: number, to: number) => void;
}

export type PlotKind = 'line' | 'stack';

const HEIGHT = 220;

export function plotOptions(drawn: Drawn, kind: PlotKind, width: number, events: PlotEvents): uPlot.Options {
  const ink = variable('--ink-soft');
  const grid = variable('--line');
  let colour = 0;
  const series: uPlot.Series[] = drawn.lines.map((line) => {
    const own = line.previous ? null : colour++;
    return kind === 'stack' ? bars(own ?? 0) : curve(own);
  });
  return {
    width,
    height: HEIGHT,
    ms: 1,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    series: [{}, ...series],
    scales: { y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] } },
    axes: [
      {
        stroke: ink,
        grid: { show: false },
        ticks: { stroke: grid, size: 4 },
        font: font(),
        values: timeLabels,
        space: 64,
        size: 30,
      },
      {
        stroke: ink,
        grid: { stroke: grid, width: 1 },
        ticks: { show: false },
        font: font(),
        size: 52,
        values: (_plot, values) => values.map((value) => axis(value, drawn.unit)),
      },
    ],
    cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false, setScale: false } },
    hooks: {
      setCursor: [(plot) => events.onIndex(plot.cursor.idx ?? null)],
      setSelect: [(plot) => selected(plot, events)],
      ready: [(plot) => listen(plot, events)],
    },
  };
}

function curve(own: number | null): uPlot.Series {
  if (own === null) {
    return {
      stroke: variable('--ink-faint'),
      width: 1.5,
      dash: [3, 4],
      points: { show: false },
      spanGaps: false,
    };
  }
  return {
    stroke: seriesColour(own),
    width: 2,
    dash: DASHES[own % DASHES.length] ?? [],
    points: { show: alone, size: 5, fill: seriesColour(own) },
    spanGaps: false,
  };
}

/** Points only where a value has no neighbour to draw a line to. */
const alone: uPlot.Series.Points.Show = (plot, index, from, to) => {
  const values = plot.data[index] ?? [];
  let lonely = to - from < 4;
  for (let at = from; at <= to && !lonely; at += 1) {
    lonely = values[at] != null && values[at - 1] == null && values[at + 1] == null;
  }
  return lonely;
};

function bars(own: number): uPlot.Series {
  const paths = uPlot.paths.bars?.({ size: [0.92, 40], align: 1 });
  return {
    stroke: variable('--surface'),
    width: 0,
    fill: seriesColour(own),
    points: { show: false },
    ...(paths && { paths }),
  };
}

function selected(plot: uPlot, events: PlotEvents): void {
  const { left, width } = plot.select;
  if (width < 8) return;
  events.onZoom(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'));
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}

function listen(plot: uPlot, events: PlotEvents): void {
  let downAt = 0;
  plot.over.addEventListener('mousedown', (event) => {
    downAt = event.clientX;
  });
  plot.over.addEventListener('click', (event) => {
    const index = plot.cursor.idx;
    if (Math.abs(event.clientX - downAt) < 8 && index !== null && index !== undefined) events.onPick(index);
  });
}

const hours = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const seconds = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

function timeLabels(_plot: uPlot, splits: number[], _axis: number, _space: number, step: number): string[] {
  return splits.map((at) => {
    const midnight = hours.format(at) === '00:00';
    if (midnight || step >= 86_400_000) return days.format(at);
    return step < 60_000 ? seconds.format(at) : hours.format(at);
  });
}

function font(): string {
  return `12px ${variable('--font') || 'sans-serif'}`;
}
