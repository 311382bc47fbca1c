// An alert: what is wrong, since when, what to do, and the ways to look further.
import type { Alert, Episode } from '../../api/risk';
import { plural } from '../../format';
import { about, lasted, lengthWords, ruleWords } from '../../model/alerts';
import { link } from '../../state/url';
import { Badge } from '../../ui/badges';
import { useParams } from '../../ui/context';
import { callHref, deviceHref } from '../../ui/hrefs';
import { Time } from '../../ui/time';

interface AlertItemProps {
  alert: Alert | Episode;
  /** Of those that are there now: it says what keeps it, and is open. */
  now?: boolean;
}

export function AlertItem({ alert, now = false }: AlertItemProps) {
  const params = useParams();
  return (
    <li class={`alert alert-${alert.state}`}>
      <h3>
        <StateBadge state={alert.state} />{' '}
        <Badge
          tone={alert.severity === 'page' ? 'bad' : 'info'}
          icon={alert.severity === 'page' ? 'phone' : 'dash'}
          text={alert.severity}
        />{' '}
        <a href={link('/alerts', params, { rule: alert.rule })} title="Only alerts of this rule">
          {ruleWords(alert.rule)}
        </a>
      </h3>
      <Labels labels={alert.labels} />
      <p>{alert.summary}</p>
      <p class="soft">
        <When alert={alert} />
      </p>
      {'held_back_by' in alert && <Kept alert={alert} />}
      <p class="links">
        <a href={alert.page}>The figures of that time</a>
        <Examples alert={alert} />
      </p>
      <details class="how" open={now && alert.state === 'firing'}>
        <summary>
          What to do, and who was told <span class="hidden">of {ruleWords(alert.rule)}</span>
        </summary>
        <p>{alert.runbook ?? 'The rules that this server knows have no runbook for this rule.'}</p>
        <Deliveries deliveries={alert.deliveries} />
      </details>
    </li>
  );
}

function StateBadge({ state }: { state: Episode['state'] }) {
  if (state === 'firing') return <Badge tone="bad" icon="bang" text="firing" />;
  if (state === 'pending') return <Badge tone="warn" icon="dots" text="pending" />;
  return <Badge tone="good" icon="check" text="resolved" />;
}

function Labels({ labels }: { labels: Episode['labels'] }) {
  const all = about(labels);
  if (all.length === 0) return <p class="soft">The whole pipeline</p>;
  return (
    <p class="labels">
      {all.map(({ name, value }) => (
        <span key={name} class="code-tag">
          <span class="soft">{name}</span> {value}
        </span>
      ))}
    </p>
  );
}

function When({ alert }: { alert: Alert | Episode }) {
  const length = lengthWords(lasted(alert, Date.now()));
  const late =
    alert.found_late_ms > 0
      ? ` Found ${lengthWords(alert.found_late_ms)} late: the pipeline was behind.`
      : '';
  if (alert.fired_at === null) {
    return (
      <>
        Holds since <Time at={'since' in alert ? alert.since : null} />, and has not fired yet.{late}
      </>
    );
  }
  if (alert.resolved_at === null) {
    return (
      <>
        Fired <Time at={alert.fired_at} />, for {length} so far.{late}
      </>
    );
  }
  return (
    <>
      Fired <Time at={alert.fired_at} />, resolved <Time at={alert.resolved_at} /> after {length}.{late}
    </>
  );
}

/** What keeps it as it is, and what it keeps. */
function Kept({ alert }: { alert: Alert }) {
  const { held_back_by: by, holds_back: others, muted } = alert;
  return (
    <>
      {by.length > 0 && (
        <p>
          <Badge tone="warn" icon="pause" text="held back" /> by {by.map(ruleWords).join(', ')}: it neither
          fires nor resolves until that is over.
        </p>
      )}
      {muted && (
        <p>
          <Badge tone="quiet" icon="slash" text="muted" /> The rules file keeps it quiet: nobody is told.
        </p>
      )}
      {others.length > 0 && (
        <p class="soft">
          While it is there, {plural(others.length, 'rule')} about the same stay as they are:{' '}
          {others.map(ruleWords).join(', ')}.
        </p>
      )}
    </>
  );
}

function Examples({ alert }: { alert: Alert | Episode }) {
  const tenant_id = alert.labels.tenant_id ?? '';
  return alert.examples.map(({ call_uuid, device_id }) => (
    <span key={call_uuid + device_id}>
      <a href={callHref({ tenant_id, call_uuid })}>
        Call <span class="mono">{call_uuid.slice(0, 8)}</span>
      </a>
      {device_id !== null && (
        <>
          {' on '}
          <a class="mono id" href={deviceHref({ tenant_id, device_id })} title={device_id}>
            {device_id}
          </a>
        </>
      )}
    </span>
  ));
}

const TOLD = { owed: 'not told yet', firing: 'told that it fires', resolved: 'told that it is resolved' };

function Deliveries({ deliveries }: { deliveries: Episode['deliveries'] }) {
  if (deliveries.length === 0) {
    return (
      <p>
        Nobody is on record as told: there is no receiver, or it is Alertmanager, which is told all the time.
      </p>
    );
  }
  return (
    <ul class="plain-list">
      {deliveries.map(({ receiver, state, at }) => (
        <li key={receiver}>
          <strong>{receiver}</strong>: {TOLD[state]}, <Time at={at} />
        </li>
      ))}
    </ul>
  );
}
