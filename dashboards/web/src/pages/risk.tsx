// How close iOS is to waking an app, or a device, no more.
import { useQuery } from '../api/query';
import type { AppRisks } from '../api/risk';
import { picked } from '../state/url';
import { AlerterNote } from '../ui/alerter-note';
import { useParams } from '../ui/context';
import { FilterBar } from '../ui/filter-bar';
import { PageHead } from '../ui/page-head';
import { Panel } from '../ui/panel';
import { AppBoard } from './risk/board';
import { DevicesAtRisk } from './risk/devices';

const FILTERED = ['tenant', 'app', 'app_version', 'os_major'] as const;
const MOST = 1_000;

export function RiskPage() {
  const params = useParams();
  const apps = useQuery<AppRisks>('/risk/apps', picked(params, ['from', 'to', ...FILTERED], { limit: MOST }));
  return (
    <>
      <PageHead
        title="Risk"
        says="How close iOS is to waking an app, or an app on one device, no more. It never says so itself: this is what speaks for it."
      />
      <FilterBar only={FILTERED} />
      <AlerterNote alerter={apps.data?.alerter} />
      <Panel
        title="Apps by level"
        says="Every version of an app on every major version of iOS that had required reports; the line is its level over the range, worse is higher."
        how="Once a minute, at the pipeline’s log clock. Critical: reports are missing 14.4 times as fast as the objective allows, in the last hour and in the last 5 minutes. At risk: 6 times as fast in 6 hours and in the last hour, or certainly worse than the version before. Watch: a confirmed violation of a new version in the App Store, faster than allowed over 3 days, or reports near the 7 seconds after which iOS kills. Shares count only as far as they are certain (Wilson, 99 %). A lower level is shown after half an hour of calm. Thresholds are settings of the alerter’s rules file; these are the shipped ones."
        query={apps}
        wide
        isEmpty={(data) => data.items.length === 0}
        empty="No app has been judged with these filters: an app appears here with its first required report."
      >
        {(data) => <AppBoard risks={data} />}
      </Panel>
      <DevicesAtRisk />
    </>
  );
}
