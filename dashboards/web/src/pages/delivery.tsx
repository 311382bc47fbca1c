// How pushes reach devices: how many, how fast, and where they stay.
import { useQuery } from '../api/query';
import type { Reasons, Series, Summary } from '../api/types';
import { drill, question } from '../state/url';
import { BarList } from '../charts/bar-list';
import { useParams } from '../ui/context';
import { DimensionPanel } from '../ui/dimension-panel';
import { FilterBar } from '../ui/filter-bar';
import { PageHead } from '../ui/page-head';
import { Panel } from '../ui/panel';
import { SeriesPanel } from '../ui/series-panel';
import { FunnelPanel } from './delivery/funnel-panel';
import { LatencyPanels, percentilesOf } from './delivery/latency';
import { PERCENTILES, Percentiles, STAGE_MEASURES } from './delivery/percentiles';
import { STANDARD } from './delivery/stages';
import { Within, WITHIN } from './delivery/within';

const BY_DIMENSION = [
  'legs',
  'acceptance_rate',
  'receipt_rate',
  'received_within_10s',
  'sent_to_received_p50',
  'sent_to_received_p95',
];
const MEASURES = ['legs', 'legs_accepted', 'receipt_rate', ...WITHIN, ...PERCENTILES].join(',');
const WITHIN_NAMES = {
  received_within_2s: '2 s',
  received_within_5s: '5 s',
  received_within_10s: '10 s',
  received_within_30s: '30 s',
};

export function DeliveryPage() {
  const params = useParams();
  const all = useQuery<Summary>('/summary', question(params, { compare: '7d', measures: MEASURES }));
  const coverage = useQuery<Summary>('/summary', question(params, { measures: 'telemetry_coverage' }));
  const stage = params.get('stage') ?? STANDARD;
  const overTime = [...percentilesOf(stage), ...WITHIN].join(',');
  const series = useQuery<Series>('/series', question(params, { measures: overTime }));
  return (
    <>
      <PageHead
        title="Delivery"
        says="How many pushes reach their device, how fast, and where the others stay."
      />
      <FilterBar />
      <div class="panels">
        <FunnelPanel />
        <Panel
          title="Received in time"
          says="Of all accepted pushes, how many their device had within so many seconds; those that never came count too."
          measures={WITHIN}
          query={all}
          isEmpty={(data) => !data.groups[0]?.current.legs_accepted}
          empty="No push was accepted in this range."
        >
          {(data) => (
            <Within
              group={data.groups[0]}
              coverage={coverage.data?.groups[0]?.current.telemetry_coverage ?? null}
            />
          )}
        </Panel>
        <Panel
          title="Latency by stage"
          says="How long each step takes. Percentiles see only legs that came to the end of the step."
          measures={STAGE_MEASURES}
          query={all}
          wide
          isEmpty={(data) => !data.groups[0]?.current.legs}
          empty="No legs in this range, so nothing was measured."
        >
          {(data) => <Percentiles group={data.groups[0]} />}
        </Panel>
        <LatencyPanels stage={stage} series={series} />
        <SeriesPanel
          title="Received in time, over time"
          says="Share of accepted pushes that their device had within 2, 5, 10 and 30 s."
          measures={WITHIN}
          names={WITHIN_NAMES}
          unit="ratio"
          query={series}
        />
        <Rejections />
        <DimensionPanel
          title="Delivery by dimension"
          says="The same figures for each value; a name leads to its legs."
          empty="No legs in this range."
          measures={BY_DIMENSION}
        />
      </div>
    </>
  );
}

function Rejections() {
  const params = useParams();
  const query = useQuery<Reasons>('/reasons', question(params, { kind: 'rejections' }));
  return (
    <Panel
      title="Rejections by reason"
      says="Why pushes were not accepted: the push service’s own reason, or why it could not be asked."
      how="Legs by push_reject_reason: of the earliest rejection of the leg, else of its earliest failure. The share is of all legs."
      query={query}
      isEmpty={(data) => data.rejections.length === 0}
      empty="No push was rejected or failed in this range."
    >
      {(data) => (
        <BarList
          caption="Legs by reason of rejection"
          of="Legs"
          rows={data.rejections.slice(0, 12).map((row) => ({
            key: row.reason ?? '',
            label: row.reason ?? 'no reason given',
            href: drill(params, { rejected_with: row.reason ?? '' }),
            amount: row.legs,
            share: row.share,
            colour: 6,
          }))}
        />
      )}
    </Panel>
  );
}
