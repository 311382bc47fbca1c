// Why legs were not answered: the push's fault, the app's, or people's choice.
import type { Query } from '../../api/query';
import type { Measures, Summary } from '../../api/types';
import { BarList } from '../../charts/bar-list';
import { drill, type Extra } from '../../state/url';
import { useParams } from '../../ui/context';
import { Panel } from '../../ui/panel';

interface Reason {
  key: string;
  label: string;
  measure: string;
  filters: Extra;
  colour: number;
}

const REASONS: Reason[] = [
  {
    key: 'declined',
    label: 'Somebody declined',
    measure: 'outcome_declined',
    filters: { outcome: 'declined' },
    colour: 1,
  },
  {
    key: 'unanswered',
    label: 'It rang, and nobody answered',
    measure: 'outcome_unanswered',
    filters: { outcome: 'unanswered' },
    colour: 1,
  },
  {
    key: 'cancelled',
    label: 'The caller gave up',
    measure: 'outcome_cancelled',
    filters: { outcome: 'cancelled' },
    colour: 1,
  },
  {
    key: 'elsewhere',
    label: 'Answered on another device',
    measure: 'outcome_answered_elsewhere',
    filters: { outcome: 'answered_elsewhere' },
    colour: 3,
  },
  {
    key: 'declined_elsewhere',
    label: 'Declined on another device',
    measure: 'outcome_declined_elsewhere',
    filters: { outcome: 'declined_elsewhere' },
    colour: 1,
  },
  { key: 'busy', label: 'Busy', measure: 'outcome_busy', filters: { outcome: 'busy' }, colour: 1 },
  {
    key: 'filtered',
    label: 'Do Not Disturb or a block list',
    measure: 'verdict_filtered',
    filters: { verdict: 'filtered' },
    colour: 5,
  },
  {
    key: 'rejected',
    label: 'The push service refused the push',
    measure: 'verdict_rejected',
    filters: { verdict: 'rejected' },
    colour: 6,
  },
  {
    key: 'no_receipt',
    label: 'The push never came to the device',
    measure: 'verdict_no_receipt',
    filters: { verdict: 'no_receipt' },
    colour: 6,
  },
  {
    key: 'unreported',
    label: 'The app reported no call',
    measure: 'verdict_unreported',
    filters: { verdict: 'unreported' },
    colour: 6,
  },
  {
    key: 'report_error',
    label: 'The system refused the report',
    measure: 'verdict_report_error',
    filters: { verdict: 'report_error' },
    colour: 6,
  },
  {
    key: 'failed',
    label: 'The call failed',
    measure: 'outcome_failed',
    filters: { outcome: 'failed' },
    colour: 6,
  },
];

export const REASON_MEASURES = REASONS.map((reason) => reason.measure);

export function WhyNot({ all }: { all: Query<Summary> }) {
  const params = useParams();
  return (
    <Panel
      title="Why not answered"
      says="Legs that were not answered here, by what stood in the way; a leg may be in two lines."
      how="Legs by outcome (contract 4.2) and, where the push or the app is the cause, by report verdict (4.1). The share is of all legs."
      query={all}
      isEmpty={(data) => reasons(data.groups[0]?.current ?? {}).length === 0}
      empty="Every leg in this range was answered, or there was none."
    >
      {(data) => {
        const measures = data.groups[0]?.current ?? {};
        const legs = measures.legs ?? 0;
        return (
          <BarList
            caption="Legs that were not answered, by reason"
            of="Legs"
            rows={reasons(measures).map((reason) => ({
              key: reason.key,
              label: reason.label,
              href: drill(params, reason.filters),
              amount: measures[reason.measure] ?? 0,
              share: legs > 0 ? (measures[reason.measure] ?? 0) / legs : null,
              colour: reason.colour,
            }))}
          />
        );
      }}
    </Panel>
  );
}

function reasons(measures: Measures): Reason[] {
  const present = REASONS.filter((reason) => (measures[reason.measure] ?? 0) > 0);
  return present.sort((a, b) => (measures[b.measure] ?? 0) - (measures[a.measure] ?? 0));
}
