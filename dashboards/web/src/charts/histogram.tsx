// How often a latency was how long. Bounds grow by a factor, so equal widths are equal factors.
import type { Distribution } from '../api/types';
import { count, ms, ratio } from '../format';
import { navigate } from '../state/router';
import { drill } from '../state/url';
import { useParams } from '../ui/context';
import { useCursor } from './cursor';
import { between, rangeFilters, trimmedBounds } from './bounds';

export function Histogram({ title, data }: { title: string; data: Distribution }) {
  const params = useParams();
  const { first, last } = trimmedBounds(data.counts);
  const counts = data.counts.slice(first, last + 1);
  const highest = Math.max(1, ...counts);
  const filters = (index: number) => rangeFilters(data.stage, data.bounds, first + index);
  const href = (index: number) => drill(params, filters(index));
  const words = (index: number) => {
    const legs = counts[index] ?? 0;
    return `${between(data.bounds, first + index)}: ${count(legs)} legs, ${ratio(data.total > 0 ? legs / data.total : null)}`;
  };
  const cursor = useCursor({ label: title, count: counts.length, text: words, href });
  const width = 100 / Math.max(1, counts.length);
  const at = cursor.index;
  return (
    <div class="chart">
      <div class="plot plot-hist" {...cursor.props}>
        <svg viewBox="0 0 100 60" preserveAspectRatio="none" aria-hidden="true" focusable="false">
          {counts.map((legs, index) => (
            // biome-ignore lint/a11y/noStaticElementInteractions: the slider around it has the keys
            <g
              key={data.bounds[first + index] ?? 'last'}
              class={index === at ? 'hist-bar is-at' : 'hist-bar'}
              onMouseEnter={() => cursor.set(index)}
              onClick={() => navigate(href(index))}
            >
              <rect class="hit" x={index * width} y="0" width={width} height="60" />
              <rect
                x={index * width + width * 0.06}
                y={60 - (58 * legs) / highest}
                width={width * 0.88}
                height={(58 * legs) / highest}
              />
            </g>
          ))}
        </svg>
      </div>
      <Ticks bounds={data.bounds} first={first} last={last} />
      <p class="readout" aria-hidden="true">
        {at === null ? (
          'Click a bar for the legs behind it.'
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

function Ticks({ bounds, first, last }: { bounds: Distribution['bounds']; first: number; last: number }) {
  const shown = last - first + 1;
  const every = Math.max(1, Math.ceil(shown / 6));
  const ticks = [];
  for (let index = first; index < last; index += every) ticks.push(index);
  return (
    <svg class="ticks" aria-hidden="true" focusable="false">
      {ticks.map((index) => (
        <text key={index} x={`${((index - first + 1) / shown) * 100}%`} y="12">
          {ms(bounds[index] ?? null)}
        </text>
      ))}
    </svg>
  );
}
