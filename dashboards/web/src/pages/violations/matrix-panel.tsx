// Where it breaks: app version × OS version, for one app at a time.
import { useId } from 'preact/hooks';
import { useQuery } from '../../api/query';
import type { Summary } from '../../api/types';
import { count, ratio, shownValue } from '../../format';
import { rankApps } from '../../model/risk';
import { navigateTo } from '../../state/router';
import { drill, question, withParam } from '../../state/url';
import { useParams } from '../../ui/context';
import { Panel } from '../../ui/panel';
import { type Cell, type Matrix, matrixOf } from './matrix';
import { Scroll } from '../../ui/scroll';

const MEASURES = 'violations,violations_confirmed,required_reports,violation_rate';
const LEVELS = ['none', 'seen', 'above 0.1 %', 'above 1 %'];

export function MatrixPanel() {
  const params = useParams();
  const apps = useQuery<Summary>(
    '/summary',
    question(params, { group_by: 'app', limit: 100, measures: MEASURES }),
  );
  const ranked = apps.data ? rankApps(apps.data.groups) : [];
  const app = params.get('matrix_app') ?? ranked[0]?.app ?? null;
  const across = params.get('across') === 'os_major' ? 'os_major' : 'os_version';
  const asked = question(params, { app, group_by: `app_version,${across}`, limit: 1000, measures: MEASURES });
  const query = useQuery<Summary>(app === null ? null : '/summary', asked);
  const shown =
    app === null && apps.data !== null
      ? { ...query, data: { ...apps.data, groups: [] } }
      : app === null
        ? { ...query, error: apps.error, retry: apps.retry, pending: apps.pending }
        : query;
  return (
    <Panel
      title="App version × OS version"
      says="Violation rate in each field, with violations and required reports; a field leads to its legs."
      measures={['violation_rate', 'required_reports']}
      how="Shading goes by the low end of the 95 % interval (Wilson), not by the rate, and says the same as the sign: ! above 0.1 %, !! above 1 %; fields with fewer than 20 required reports get none."
      query={shown}
      wide
      actions={<Pickers app={app} apps={ranked.map((risk) => risk.app ?? '')} across={across} />}
      isEmpty={(data) => matrixOf(data.groups, 'app_version', across).rows.length === 0}
      empty="No push in this range needed a report, so there is nothing to violate. Reports are required on iOS 13 and later, for VoIP pushes to an app in the background."
    >
      {(data) => (
        <Grid matrix={matrixOf(data.groups, 'app_version', across)} app={app ?? ''} across={across} />
      )}
    </Panel>
  );
}

function Pickers({ app, apps, across }: { app: string | null; apps: string[]; across: string }) {
  const params = useParams();
  const id = useId();
  return (
    <>
      <div class="field-inline">
        <label for={`${id}a`}>App</label>
        <select
          id={`${id}a`}
          value={app ?? ''}
          onChange={(event) => navigateTo(withParam(params, 'matrix_app', event.currentTarget.value))}
        >
          {[...new Set([...(app === null ? [] : [app]), ...apps])].map((one) => (
            <option key={one} value={one}>
              {shownValue(one)}
            </option>
          ))}
        </select>
      </div>
      <div class="field-inline">
        <label for={`${id}o`}>OS</label>
        <select
          id={`${id}o`}
          value={across}
          onChange={(event) =>
            navigateTo(
              withParam(params, 'across', event.currentTarget.value === 'os_major' ? 'os_major' : null),
            )
          }
        >
          <option value="os_version">each version</option>
          <option value="os_major">major versions</option>
        </select>
      </div>
    </>
  );
}

function Grid({ matrix, app, across }: { matrix: Matrix; app: string; across: string }) {
  return (
    <Scroll label="App version by OS version">
      <table class="matrix">
        <thead>
          <tr>
            <th scope="col">App version</th>
            {matrix.columns.map((column) => (
              <th key={column} scope="col">
                {shownValue(column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {matrix.rows.map((row) => (
            <tr key={row}>
              <th scope="row">{shownValue(row)}</th>
              {matrix.columns.map((column) => (
                <Field
                  key={column}
                  cell={matrix.cell(row, column)}
                  filters={{ app, app_version: row, [across]: column }}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Field({ cell, filters }: { cell: Cell | null; filters: Record<string, string> }) {
  const params = useParams();
  if (cell === null) return <td class="matrix-none" />;
  const sign = cell.level === 3 ? ' !!' : cell.level === 2 ? ' !' : '';
  const href = drill(params, cell.violations > 0 ? { ...filters, verdict: 'unreported' } : filters);
  return (
    <td class={`level-${cell.level}`}>
      <a
        href={href}
        title={`${LEVELS[cell.level]}: ${count(cell.violations)} of ${count(cell.required)} required reports missing`}
      >
        <span class="matrix-rate">
          {ratio(cell.rate)}
          {sign}
        </span>
        <span class="matrix-counts">
          {count(cell.violations)} / {count(cell.required)}
        </span>
      </a>
    </td>
  );
}
