// App versions by how surely they violate: those with few pushes never lead.
import type { Query } from '../../api/query';
import type { Summary } from '../../api/types';
import { count, ratio, shownValue } from '../../format';
import { type AppRisk, type Level, MIN_REQUIRED, rankApps, VIOLATES_ABOVE } from '../../model/risk';
import { drill, link } from '../../state/url';
import { Badge, type Tone } from '../../ui/badges';
import { useParams } from '../../ui/context';
import type { IconName } from '../../ui/icons';
import { Panel } from '../../ui/panel';
import { Scroll } from '../../ui/scroll';

const LEVELS: Record<Level, [Tone, IconName, string]> = {
  violates: ['bad', 'cross', 'violates'],
  watch: ['warn', 'bang', 'watch'],
  few: ['quiet', 'dots', 'too few to judge'],
  fine: ['good', 'check', 'fine'],
};
const SHOWN = 8;

export function AppsAtRisk({ apps }: { apps: Query<Summary> }) {
  return (
    <Panel
      title="Apps at risk"
      says="App versions whose pushes end without a report; iOS kills such apps, and stops waking them when it goes on."
      measures={['violation_rate', 'required_reports', 'violations_confirmed']}
      how={`Ordered by the low end of the 95 % interval (Wilson) of the violation rate, so that few pushes never lead. “Violates”: at least ${MIN_REQUIRED} required reports, and the low end is above ${ratio(VIOLATES_ABOVE)}.`}
      query={apps}
      wide
      isEmpty={(data) => data.groups.length === 0}
      empty="No app had a call in this range. A wider range or fewer filters may show some."
    >
      {(data) => <Table risks={rankApps(data.groups).slice(0, SHOWN)} more={data.groups.length - SHOWN} />}
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
            <th scope="col">State</th>
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
            const [tone, icon, text] = LEVELS[risk.level];
            return (
              <tr key={`${risk.app} ${risk.version}`}>
                <th scope="row">
                  <a href={link('/violations', params, key)}>
                    {shownValue(risk.app)} <strong>{shownValue(risk.version)}</strong>
                  </a>
                </th>
                <td class="num">{ratio(risk.rate)}</td>
                <td>
                  <Badge tone={tone} icon={icon} text={text} />
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
          {count(more)} more app versions: <a href={link('/violations', params)}>Violations</a>.
        </p>
      )}
    </Scroll>
  );
}
