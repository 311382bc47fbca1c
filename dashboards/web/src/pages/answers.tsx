// Do people answer, and if not, why?
import { useQuery } from '../api/query';
import type { Distribution, Series, Summary } from '../api/types';
import { Histogram } from '../charts/histogram';
import { link, question } from '../state/url';
import { useParams } from '../ui/context';
import { DimensionPanel } from '../ui/dimension-panel';
import { FilterBar } from '../ui/filter-bar';
import { PageHead } from '../ui/page-head';
import { Panel } from '../ui/panel';
import { SeriesPanel } from '../ui/series-panel';
import { Tile } from '../ui/tile';
import { ALL_OUTCOME_MEASURES, OUTCOME_MEASURES, OUTCOME_NAMES, Outcomes } from './answers/outcomes';
import { REASON_MEASURES, WhyNot } from './answers/why-not';

const RATES = [
  'answer_bid_ratio',
  'answer_seizure_ratio',
  'answer_ratio_once_rung',
  'network_effectiveness_ratio',
];
const SHORT: Record<string, string> = {
  answer_bid_ratio: 'Answer-bid ratio',
  answer_seizure_ratio: 'Answer-seizure ratio',
  answer_ratio_once_rung: 'Once rung',
  network_effectiveness_ratio: 'Network effectiveness',
};
const BY_DIMENSION = ['calls', ...RATES, 'average_call_duration_s'];

const OVER_TIME = [...RATES, ...OUTCOME_MEASURES].join(',');
const MEASURES = [...BY_DIMENSION, 'legs', ...ALL_OUTCOME_MEASURES, ...REASON_MEASURES].join(',');

export function AnswersPage() {
  const params = useParams();
  const all = useQuery<Summary>('/summary', question(params, { compare: '7d', measures: MEASURES }));
  const ring = useQuery<Distribution>('/distribution', question(params, { stage: 'reported_to_answered' }));
  const series = useQuery<Series>('/series', question(params, { measures: OVER_TIME }));
  return (
    <>
      <PageHead title="Answers" says="Do people answer, and if not, why?" />
      <FilterBar />
      <Rates query={all} />
      <div class="panels">
        <SeriesPanel
          title="Answer rates"
          says="Calls answered, of those begun, of those that reached a device, and of those that rang."
          measures={RATES}
          names={SHORT}
          unit="ratio"
          query={series}
          wide
          empty="No call began in this range. A wider range or fewer filters may show some."
        />
        <SeriesPanel
          title="Outcomes over time"
          says="How calls ended, stacked; the whole height is all calls."
          measures={OUTCOME_MEASURES}
          names={OUTCOME_NAMES}
          unit="count"
          query={series}
          kind="stack"
        />
        <Panel
          title="Ring time"
          says="How long it rang before somebody answered."
          measures={['reported_to_answered_p50', 'reported_to_answered_p95']}
          query={ring}
          isEmpty={(data) => data.total === 0}
          empty="No call was answered in this range."
        >
          {(data) => <Histogram title="Ring time of answered legs" data={data} />}
        </Panel>
        <Outcomes query={all} />
        <WhyNot all={all} />
        <DimensionPanel
          title="Answers by dimension"
          says="The same rates for each value; a name leads to its calls."
          empty="No calls in this range."
          measures={BY_DIMENSION}
          href={(key) => link('/calls', params, key)}
        />
      </div>
    </>
  );
}

function Rates({ query }: { query: ReturnType<typeof useQuery<Summary>> }) {
  const params = useParams();
  const group = query.data?.groups[0];
  if (!group) return null;
  const shared = { current: group.current, previous: group.previous?.calls ? group.previous : null };
  return (
    <section class={`tiles ${query.pending && query.stale ? 'is-old' : ''}`} aria-label="Rates">
      {RATES.map((name) => (
        <Tile
          key={name}
          measure={name}
          label={SHORT[name] ?? name}
          href={link('/calls', params, { call_outcome: 'answered' })}
          {...shared}
        />
      ))}
      <Tile
        measure="average_call_duration_s"
        label="Average duration"
        href={link('/calls', params, { call_outcome: 'answered' })}
        {...shared}
      />
    </section>
  );
}
