// What fires now, and what fired before.
import { usePages } from '../api/pages';
import { useQuery } from '../api/query';
import type { Alerts, Episode } from '../api/risk';
import { plural } from '../format';
import { navigateTo } from '../state/router';
import { picked, withParam } from '../state/url';
import { AlerterNote } from '../ui/alerter-note';
import { useParams } from '../ui/context';
import { FilterBar } from '../ui/filter-bar';
import { Icon } from '../ui/icons';
import { More } from '../ui/more';
import { PageHead } from '../ui/page-head';
import { Panel } from '../ui/panel';
import { AlertItem } from './alerts/item';

const FILTERED = ['tenant', 'app'] as const;
/** Filters of this page alone. */
const OWN = ['rule', 'severity'] as const;

export function AlertsPage() {
  const params = useParams();
  const current = useQuery<Alerts>('/alerts', picked(params, [...FILTERED, ...OWN]));
  const history = usePages<Episode>(
    '/alerts/history',
    picked(params, ['from', 'to', ...FILTERED, ...OWN], { limit: 50 }),
  );
  return (
    <>
      <PageHead title="Alerts" says="What needs somebody now, and what did before." />
      <FilterBar only={FILTERED} />
      <OwnFilters />
      <AlerterNote alerter={current.data?.alerter} />
      <Panel
        title="Now"
        says="Alerts that fire, pages first; then those that will fire if what they are about goes on. The range does not matter here."
        how="Rules are evaluated every few seconds at the pipeline’s log clock. Held back: what the rule judges can’t be trusted while telemetry or records of the app are missing or the pipeline is behind, so the alert neither fires nor resolves."
        query={current}
        wide
        isEmpty={(data) => data.items.length === 0}
        empty={
          current.data?.alerter === null
            ? 'No alerter has run, so nothing could fire.'
            : 'Nothing fires, and nothing is about to.'
        }
      >
        {(data) => (
          <>
            <ul class="plain-list">
              {data.items.map((alert) => (
                <AlertItem key={alert.fingerprint} alert={alert} now />
              ))}
            </ul>
            {data.truncated && <p class="soft">There are more: filters show them.</p>}
          </>
        )}
      </Panel>
      <Panel
        title="History"
        says="Each time that an alert fired in this range, the newest first: what was wrong, for how long, and who was told."
        how="Times are the pipeline’s log time, those of alerts about the pipeline wall time. An alert is resolved once it has stopped to hold for as long as its rule says. Found late: it was true while the pipeline was behind."
        query={history}
        wide
        isEmpty={(items) => items.length === 0}
        empty="No alert fired in this range with these filters. A wider range may show some."
      >
        {(items) => (
          <>
            <p class="soft">
              {plural(items.length, 'alert')}
              {history.hasMore && ', more below'}.
            </p>
            <ul class="plain-list">
              {items.map((episode) => (
                <AlertItem key={`${episode.fingerprint} ${episode.fired_at}`} alert={episode} />
              ))}
            </ul>
            <More pages={history} what="alerts" />
          </>
        )}
      </Panel>
    </>
  );
}

/** Rule and severity, which a click on an alert's sets; here they are taken away. */
function OwnFilters() {
  const params = useParams();
  const chosen = OWN.flatMap((name) => params.getAll(name).map((value) => ({ name, value })));
  if (chosen.length === 0) return null;
  return (
    <p class="filter-row">
      {chosen.map(({ name, value }) => (
        <button
          key={name + value}
          type="button"
          class="chip"
          aria-label={`Remove the filter ${name}: ${value}`}
          onClick={() => navigateTo(withParam(params, name, null))}
        >
          <span class="chip-name">{name}</span> {value}
          <Icon name="close" />
        </button>
      ))}
    </p>
  );
}
