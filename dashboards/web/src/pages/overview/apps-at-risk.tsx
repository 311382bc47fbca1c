// App versions by how surely they violate: those with few pushes never lead.
import type { Query } from '../../api/query';
import type { AppRisks } from '../../api/risk';
import type { Summary } from '../../api/types';
import { count, ratio, shownValue } from '../../format';
import { LEVEL_LOOKS } from '../../model/levels';
import { type AppRisk, type Level, MIN_REQUIRED, rankApps, VIOLATES_ABOVE } from '../../model/risk';
import { drill, link } from '../../state/url';
import { Badge, type Tone } from '../../ui/badges';
import { useParams } from '../../ui/context';
import type { IconName } from '../../ui/icons';
import { Panel } from '../../ui/panel';
import { Scroll } from '../../ui/scroll';

const LOOKS: Record<Level, { tone: Tone; icon: IconName; text: string }> = {
  ...LEVEL_LOOKS,
  violates: { tone: 'bad', icon: 'cross', text: 'violates' },
  few: { tone: 'quiet', icon: 'dots', text: 'too few to judge' },
};
const SHOWN = 8;

export function AppsAtRisk({ apps, stored }: { apps: Query<Summary>; stored: Query<AppRisks> }) {
  return (
    <Panel
      title="Apps at risk"
      says="App versions whose pushes end without a report; iOS kills such apps, and stops waking them when it goes on."
      measures={['violation_rate', 'required_reports', 'violations_confirmed']}
      how={`The level is the alerter’s, the worst of the versions of iOS; Risk says why. Where it has not judged, “violates” stands for at least ${MIN_REQUIRED} required reports in this range and a violation rate surely above ${ratio(VIOLATES_ABOVE)}. Within a level by the low end of the 95 % interval (Wilson) of the violation rate, so that few pushes never lead.`}
      query={apps}
      wide
      isEmpty={(data) => data.groups.length === 0}
      empty="No app had a call in this range. A wider range or fewer filters may show some."
    >
      {(data) => (
        <Table
          risks={rankApps(data.groups, stored.data?.items).slice(0, SHOWN)}
          more={data.groups.length - SHOWN}
        />
      )}
    </Panel>
  );
}

function Table({ risks, more }: { risks: AppRisk[]; more: number }) {
  const params = useParams();
  return (
    <Scroll label="Apps at risk">
      <table class="grid">
        <thead>
          <tr>
            <th scope="col">App version</th>
            <th scope="col" class="num">
              Violation rate
            </th>
            <th scope="col">Level</th>
            <th scope="col" class="num">
              Violations
            </th>
            <th scope="col" class="num">
              Required reports
            </th>
            <th scope="col" class="num">
              At least
            </th>
            <th scope="col" class="num">
              A week ago
            </th>
          </tr>
        </thead>
        <tbody>
          {risks.map((risk) => {
            const key = { app: risk.app ?? '', app_version: risk.version ?? '' };
            return (
              <tr key={`${risk.app} ${risk.version}`}>
                <th scope="row">
                  <a href={link('/violations', params, key)}>
                    {shownValue(risk.app)} <strong>{shownValue(risk.version)}</strong>
                  </a>
                </th>
                <td class="num">{ratio(risk.rate)}</td>
                <td>
                  {risk.stored === null ? (
                    <Badge {...LOOKS[risk.level]} />
                  ) : (
                    <a href={link('/risk', params, key)}>
                      <Badge {...LOOKS[risk.level]} title={risk.stored.reason} />
                    </a>
                  )}
                </td>
                <td class="num">
                  {risk.violations === 0 ? (
                    '0'
                  ) : (
                    <a href={drill(params, { ...key, verdict: 'unreported' })}>{count(risk.violations)}</a>
                  )}
                  {risk.confirmed > 0 && <span class="soft"> ({count(risk.confirmed)} confirmed)</span>}
                </td>
                <td class="num">{count(risk.required)}</td>
                <td class="num soft">{ratio(risk.low)}</td>
                <td class="num soft">{ratio(risk.before)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {more > 0 && (
        <p class="soft">
          {count(more)} more app versions: <a href={link('/risk', params)}>Risk</a>,{' '}
          <a href={link('/violations', params)}>Violations</a>.
        </p>
      )}
    </Scroll>
  );
}
