// The link from a bucket of a time chart to the calls behind it. Pure.
import { targetOf } from '../model/drill';
import { drill } from '../state/url';
import type { Drawn } from './lines';

export function drillTo(
  params: URLSearchParams,
  drawn: Drawn,
  index: number,
  lineIndex?: number,
): string | null {
  const at = drawn.times[index];
  const line = drawn.lines[lineIndex ?? 0];
  if (at === undefined || line === undefined) return null;
  const several = lineIndex === undefined && drawn.lines.filter((one) => !one.previous).length > 1;
  const target = targetOf(line.measure, line.values[index] ?? null);
  const range = { from: at, to: at + drawn.bucketMs };
  if (several) return drill(params, range, target.view);
  return drill(params, { ...range, ...target.filters, ...line.key }, target.view);
}
