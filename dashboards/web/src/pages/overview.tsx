// Is it all right now? One line, the apps at risk, and each figure against the same time last week.
import { useQuery } from '../api/query';
import type { AppRisks } from '../api/risk';
import type { Series, Summary } from '../api/types';
import { picked, question } from '../state/url';
import { useParams } from '../ui/context';
import { FilterBar } from '../ui/filter-bar';
import { PageHead } from '../ui/page-head';
import { SeriesPanel } from '../ui/series-panel';
import { AppsAtRisk } from './overview/apps-at-risk';
import { HeadlineLine } from './overview/headline-line';
import { Tiles } from './overview/tiles';

const FIGURES = [
  'calls',
  'legs',
  'violations',
  'violation_rate',
  'answer_seizure_ratio',
  'calls_reached',
  'sent_to_received_p95',
  'received_within_10s',
  'legs_accepted',
  'acceptance_rate',
  'push_attempts',
].join(',');
const RISKS = 'violations,violations_confirmed,required_reports,violation_rate';
const TRENDS = [
  'calls',
  'violation_rate',
  'answer_seizure_ratio',
  'sent_to_received_p50',
  'sent_to_received_p95',
  'received_within_10s',
].join(',');

export function OverviewPage() {
  const params = useParams();
  const week = { compare: '7d' };
  const all = useQuery<Summary>('/summary', question(params, { ...week, measures: FIGURES }));
  const apps = useQuery<Summary>(
    '/summary',
    question(params, { ...week, group_by: 'app,app_version', limit: 200, measures: RISKS }),
  );
  const stored = useQuery<AppRisks>(
    '/risk/apps',
    picked(params, ['tenant', 'app', 'app_version', 'os_major'], { limit: 1_000 }),
  );
  const coverage = useQuery<Summary>(
    '/summary',
    question(params, { ...week, measures: 'telemetry_coverage' }),
  );
  const trends = useQuery<Series>('/series', question(params, { ...week, measures: TRENDS }));
  return (
    <>
      <PageHead title="Overview" says="Is it all right now? Everything beside the same time a week ago." />
      <FilterBar />
      <HeadlineLine all={all} apps={apps} stored={stored} />
      <Tiles all={all} coverage={coverage} trends={trends} />
      <AppsAtRisk apps={apps} stored={stored} />
      <div class="panels">
        <SeriesPanel
          title="Traffic"
          says="Calls that began in each interval, beside the same time a week ago."
          measures={['calls']}
          unit="count"
          query={trends}
        />
        <SeriesPanel
          title="Violation rate"
          says="Of the pushes that iOS demanded a report for, how many got none."
          measures={['violation_rate']}
          unit="ratio"
          query={trends}
        />
        <SeriesPanel
          title="Answer rate"
          says="Calls answered, of those where at least one device was reached."
          measures={['answer_seizure_ratio']}
          unit="ratio"
          query={trends}
        />
        <SeriesPanel
          title="Delivery latency"
          says="From the push being sent to the device having it: half, and all but one in twenty, were faster."
          measures={['sent_to_received_p50', 'sent_to_received_p95']}
          unit="ms"
          query={trends}
        />
      </div>
    </>
  );
}
