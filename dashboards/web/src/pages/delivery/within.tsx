// Shares received within 2, 5, 10 and 30 s, and what never came.
import type { Group, Num } from '../../api/types';
import { Bar } from '../../charts/bar-list';
import { count, ratio } from '../../format';
import { delta } from '../../model/delta';
import { drill } from '../../state/url';
import { useParams, useWords } from '../../ui/context';
import { DeltaText } from '../../ui/tile';

export const WITHIN = [
  'received_within_2s',
  'received_within_5s',
  'received_within_10s',
  'received_within_30s',
];

export function Within({ group, coverage }: { group: Group | undefined; coverage: Num }) {
  const params = useParams();
  const words = useWords();
  const current = group?.current ?? {};
  const accepted = current.legs_accepted ?? 0;
  const missing = Math.round(accepted * (1 - (current.receipt_rate ?? 1)));
  return (
    <>
      <table class="bars">
        <caption class="hidden">Share of accepted pushes received within so many seconds</caption>
        <tbody>
          {WITHIN.map((name) => {
            const seconds = Number(/\d+/.exec(name)?.[0]);
            const change = delta(words.measure(name), current[name], group?.previous?.[name]);
            return (
              <tr key={name}>
                <th scope="row">
                  <a href={drill(params, { slower_than: `sent_to_received:${seconds * 1_000}` })}>
                    within {seconds} s<span class="hidden">: the legs that were slower</span>
                  </a>
                  <Bar share={current[name] ?? 0} colour={3} />
                </th>
                <td class="num">{ratio(current[name])}</td>
                <td>{change && <DeltaText change={change} />}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p>
        <a href={drill(params, { stage_reached: 'accepted', stage_missing: 'received' })}>
          {count(missing)} legs
        </a>{' '}
        were accepted and not received ({ratio(accepted > 0 ? missing / accepted : null)}); telemetry coverage
        is {ratio(coverage)}, so silence may also be a device that says nothing.
      </p>
    </>
  );
}
