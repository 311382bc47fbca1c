// From push to answer: how many legs came how far, and where the others stayed.
import type { Measures } from '../api/types';
import { count, ratio } from '../format';
import { drill } from '../state/url';
import { useParams } from '../ui/context';
import { Bar } from './bar-list';

const STAGES = ['sent', 'accepted', 'received', 'reported', 'answered'] as const;

export function Funnel({ measures, channel }: { measures: Measures; channel: string[] }) {
  const params = useParams();
  const sent = measures.legs_sent ?? 0;
  return (
    <table class="bars funnel">
      <caption class="hidden">Legs by the stage that they reached</caption>
      <thead>
        <tr>
          <th scope="col">Stage</th>
          <th scope="col" class="num">
            Legs
          </th>
          <th scope="col" class="num">
            Of sent
          </th>
          <th scope="col" class="num">
            Stayed behind
          </th>
        </tr>
      </thead>
      <tbody>
        {STAGES.map((stage, index) => {
          const legs = measures[`legs_${stage}`] ?? 0;
          const before = STAGES[index - 1];
          const lost = before === undefined ? 0 : Math.max(0, (measures[`legs_${before}`] ?? 0) - legs);
          return (
            <tr key={stage}>
              <th scope="row">
                <a href={drill(params, { channel, stage_reached: stage })}>{stage}</a>
                <Bar share={sent > 0 ? legs / sent : 0} />
              </th>
              <td class="num">{count(legs)}</td>
              <td class="num soft">{ratio(sent > 0 ? legs / sent : null)}</td>
              <td class="num">
                {before !== undefined && lost > 0 && (
                  <a
                    href={drill(params, { channel, stage_reached: before, stage_missing: stage })}
                    aria-label={`${count(lost)} legs ${before} but not ${stage}`}
                  >
                    {count(lost)}
                  </a>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
