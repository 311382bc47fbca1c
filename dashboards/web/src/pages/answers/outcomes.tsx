// How calls ended, as amounts.
import type { Query } from '../../api/query';
import type { Summary } from '../../api/types';
import { words } from '../../api/definitions';
import { BarList } from '../../charts/bar-list';
import { drill } from '../../state/url';
import { useParams } from '../../ui/context';
import { Panel } from '../../ui/panel';

export const OUTCOMES = [
  'answered',
  'declined',
  'unanswered',
  'cancelled',
  'busy',
  'filtered',
  'failed',
  'unreachable',
  'in_progress',
  'unknown',
] as const;

/** Those that a chart can tell apart; the rest is in the list. */
const CHARTED = OUTCOMES.slice(0, 8);
export const OUTCOME_MEASURES = CHARTED.map((name) => `call_outcome_${name}`);
export const ALL_OUTCOME_MEASURES = OUTCOMES.map((name) => `call_outcome_${name}`);
export const OUTCOME_NAMES: Record<string, string> = Object.fromEntries(
  CHARTED.map((name) => [`call_outcome_${name}`, words(name)]),
);

export function Outcomes({ query }: { query: Query<Summary> }) {
  const params = useParams();
  return (
    <Panel
      title="Outcomes"
      says="How calls ended. The share is of all calls."
      measures={ALL_OUTCOME_MEASURES}
      query={query}
      isEmpty={(data) => !data.groups[0]?.current.calls}
      empty="No call began in this range."
    >
      {(data) => {
        const measures = data.groups[0]?.current ?? {};
        const calls = measures.calls ?? 0;
        return (
          <BarList
            caption="Calls by outcome"
            of="Calls"
            rows={OUTCOMES.map((name, index) => ({
              key: name,
              label: words(name),
              href: drill(params, { call_outcome: name }, 'calls'),
              amount: measures[`call_outcome_${name}`] ?? 0,
              share: calls > 0 ? (measures[`call_outcome_${name}`] ?? 0) / calls : null,
              colour: Math.min(index, 7) + 1,
            })).filter((row) => row.amount > 0)}
          />
        );
      }}
    </Panel>
  );
}
