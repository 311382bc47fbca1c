// One step in full: heat map, distribution and percentiles over time.
import { useId } from 'preact/hooks';
import { type Query, useQuery } from '../../api/query';
import type { Distribution, Series } from '../../api/types';
import { Heatmap } from '../../charts/heatmap';
import { Histogram } from '../../charts/histogram';
import { count, ratio } from '../../format';
import { navigateTo } from '../../state/router';
import { question, withParam } from '../../state/url';
import { useParams } from '../../ui/context';
import { Panel } from '../../ui/panel';
import { SeriesPanel } from '../../ui/series-panel';
import { STAGES, STANDARD, stageLabel } from './stages';

const HOW =
  'Legs by the duration of the step, counted in buckets whose bounds grow by a constant factor. Durations of which an end is missing, or which come out negative across two clocks, are not counted.';

const POINTS = ['p50', 'p90', 'p99'] as const;

/** What is drawn over time of a step. */
export const percentilesOf = (stage: string) => POINTS.map((point) => `${stage}_${point}`);

/** `series` has `percentilesOf` the stage. */
export function LatencyPanels({ stage, series }: { stage: string; series: Query<Series> }) {
  const params = useParams();
  const query = useQuery<Distribution>('/distribution', question(params, { stage }));
  const label = stageLabel(stage);
  const empty = `No leg in this range came from ${label.replace('→', 'to')}. A wider range or fewer filters may show some.`;
  return (
    <>
      <Panel
        title={`Heat map, ${label}`}
        says="When legs took how long: darker is more legs."
        how={HOW}
        query={query}
        wide
        actions={<StagePicker stage={stage} />}
        isEmpty={(data) => data.total === 0}
        empty={empty}
      >
        {(data) => <Heatmap title={`Latency ${label} over time`} data={data} />}
      </Panel>
      <Panel
        title={`Distribution, ${label}`}
        says="How many legs took how long."
        how={HOW}
        query={query}
        isEmpty={(data) => data.total === 0}
        empty={empty}
      >
        {(data) => (
          <>
            <Histogram title={`Distribution of ${label}`} data={data} />
            <Censored data={data} />
          </>
        )}
      </Panel>
      <SeriesPanel
        title={`Percentiles, ${label}`}
        says="Half of the legs, nine in ten, and all but one in a hundred were faster than this."
        measures={percentilesOf(stage)}
        names={Object.fromEntries(POINTS.map((point) => [`${stage}_${point}`, point]))}
        unit="ms"
        query={series}
      />
    </>
  );
}

function Censored({ data }: { data: Distribution }) {
  if (data.censored === null) return null;
  const share = data.total + data.censored > 0 ? data.censored / (data.total + data.censored) : null;
  return (
    <p class="soft">
      {count(data.total)} legs measured; {count(data.censored)} accepted legs ({ratio(share)}) never came to
      the end of this step, and no percentile sees them.
    </p>
  );
}

function StagePicker({ stage }: { stage: string }) {
  const params = useParams();
  const id = useId();
  return (
    <div class="field-inline">
      <label for={id}>Stage</label>
      <select
        id={id}
        value={stage}
        onChange={(event) => {
          const value = event.currentTarget.value;
          navigateTo(withParam(params, 'stage', value === STANDARD ? null : value), true);
        }}
      >
        {STAGES.map((one) => (
          <option key={one.name} value={one.name}>
            {one.label}
          </option>
        ))}
      </select>
    </div>
  );
}
