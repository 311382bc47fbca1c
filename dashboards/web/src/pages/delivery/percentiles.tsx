// p50 to p99 of every step, beside the p95 of a week ago.
import type { Group } from '../../api/types';
import { count, ms } from '../../format';
import { drill } from '../../state/url';
import { useParams } from '../../ui/context';
import { STAGES } from './stages';
import { Scroll } from '../../ui/scroll';

const POINTS = ['p50', 'p90', 'p95', 'p99'] as const;
export const STAGE_MEASURES = STAGES.map((stage) => `${stage.name}_p95`);

/** What the table shows. */
export const PERCENTILES = STAGES.flatMap(({ name }) =>
  [...POINTS, 'count'].map((point) => `${name}_${point}`),
);

export function Percentiles({ group }: { group: Group | undefined }) {
  const params = useParams();
  const current = group?.current ?? {};
  return (
    <Scroll label="Percentiles by stage">
      <table class="grid">
        <thead>
          <tr>
            <th scope="col">Stage</th>
            {POINTS.map((point) => (
              <th key={point} scope="col" class="num">
                {point}
              </th>
            ))}
            <th scope="col" class="num">
              p95 a week ago
            </th>
            <th scope="col" class="num">
              Legs
            </th>
          </tr>
        </thead>
        <tbody>
          {STAGES.map((stage) => (
            <tr key={stage.name}>
              <th scope="row">
                {stage.label} <span class="soft">{stage.says}</span>
              </th>
              {POINTS.map((point) => {
                const value = current[`${stage.name}_${point}`] ?? null;
                return (
                  <td key={point} class="num">
                    {value === null ? (
                      ms(null)
                    ) : (
                      <a href={drill(params, { slower_than: `${stage.name}:${Math.floor(value)}` })}>
                        {ms(value)}
                      </a>
                    )}
                  </td>
                );
              })}
              <td class="num soft">{ms(group?.previous?.[`${stage.name}_p95`])}</td>
              <td class="num soft">{count(current[`${stage.name}_count`])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
