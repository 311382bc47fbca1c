// Every verdict, so that what is not a violation is seen too.
import type { Query } from '../../api/query';
import type { Summary } from '../../api/types';
import { BarList } from '../../charts/bar-list';
import { drill, question } from '../../state/url';
import { Verdict } from '../../ui/badges';
import { useParams } from '../../ui/context';
import { Panel } from '../../ui/panel';

export const VERDICTS = [
  'reported',
  'reported_late',
  'filtered',
  'report_error',
  'unreported',
  'exempt',
  'no_receipt',
  'rejected',
  'pending',
  'not_applicable',
] as const;

export const VERDICT_MEASURES = VERDICTS.map((name) => `verdict_${name}`);

export function VerdictsPanel({ query }: { query: Query<Summary> }) {
  const params = useParams();
  const all = question(params);
  return (
    <Panel
      title="Verdicts"
      says="How every leg was judged. Silence (no receipt) is never a violation."
      measures={VERDICT_MEASURES}
      query={query}
      isEmpty={(data) => !data.groups[0]?.current.legs}
      empty="No legs in this range."
    >
      {(data) => {
        const measures = data.groups[0]?.current ?? {};
        const legs = measures.legs ?? 0;
        return (
          <BarList
            caption="Legs by verdict"
            of="Legs"
            rows={VERDICTS.map((name) => ({
              key: name,
              label: <Verdict name={name} />,
              href: drill(all, { verdict: name }),
              amount: measures[`verdict_${name}`] ?? 0,
              share: legs > 0 ? (measures[`verdict_${name}`] ?? 0) / legs : null,
              colour: name === 'unreported' ? 6 : 1,
            })).filter((row) => row.amount > 0)}
          />
        );
      }}
    </Panel>
  );
}
