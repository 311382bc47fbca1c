// Calls, newest first.
import { usePages } from '../../api/pages';
import type { Call } from '../../api/records';
import { count, ms } from '../../format';
import { Badge, Diagnoses, Outcome } from '../../ui/badges';
import { callHref } from '../../ui/hrefs';
import { More } from '../../ui/more';
import { Panel } from '../../ui/panel';
import { Time } from '../../ui/time';
import { Scroll } from '../../ui/scroll';

export function CallList({ asked }: { asked: URLSearchParams }) {
  const pages = usePages<Call>('/calls', asked);
  return (
    <Panel
      title="Calls"
      says="Newest beginning first. With filters: calls of which a leg fits."
      query={pages}
      wide
      isEmpty={(items) => items.length === 0}
      empty="No call in this range fits. Remove a filter, widen the range, or check the UUID."
    >
      {(items) => (
        <>
          <Table calls={items} />
          <More pages={pages} what="calls" />
        </>
      )}
    </Panel>
  );
}

function Table({ calls }: { calls: Call[] }) {
  return (
    <Scroll label="Calls">
      <table class="grid">
        <thead>
          <tr>
            <th scope="col">Began</th>
            <th scope="col">Call</th>
            <th scope="col">Outcome</th>
            <th scope="col">App</th>
            <th scope="col" class="num">
              Legs
            </th>
            <th scope="col">Violations</th>
            <th scope="col" class="num">
              Until answered
            </th>
            <th scope="col">Diagnoses</th>
          </tr>
        </thead>
        <tbody>
          {calls.map((call) => (
            <tr key={`${call.tenant_id} ${call.call_uuid}`}>
              <td class="nowrap">
                <Time at={call.started_at} />
              </td>
              <th scope="row">
                <a class="mono" href={callHref(call)}>
                  {call.call_uuid.slice(0, 8)}
                </a>
              </th>
              <td>
                <Outcome name={call.outcome} />
              </td>
              <td class="nowrap">{call.app_id}</td>
              <td class="num">{count(call.legs)}</td>
              <td>
                {call.legs_violating > 0 && (
                  <Badge
                    tone="bad"
                    icon="cross"
                    text={call.legs_violating === 1 ? '1 leg' : `${count(call.legs_violating)} legs`}
                  />
                )}
              </td>
              <td class="num">
                {ms(
                  call.answered_at === null
                    ? null
                    : call.answered_at - (call.initiated_at ?? call.started_at),
                )}
              </td>
              <td>
                <Diagnoses codes={call.diagnoses} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
