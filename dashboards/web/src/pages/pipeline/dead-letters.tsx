// Records that were not valid: how many, why, and where they stand. Never their contents.
import { words } from '../../api/definitions';
import { useQuery } from '../../api/query';
import type { DeadLetters } from '../../api/records';
import { BarList } from '../../charts/bar-list';
import { link, withParam } from '../../state/url';
import { useParams } from '../../ui/context';
import { Panel } from '../../ui/panel';
import { Time } from '../../ui/time';
import { Scroll } from '../../ui/scroll';

export function DeadLettersPanel() {
  const params = useParams();
  const reason = params.get('reason');
  const asked = new URLSearchParams({ limit: '20', ...(reason === null ? {} : { reason }) });
  const query = useQuery<DeadLetters>('/dead-letters', asked);
  return (
    <Panel
      title="Dead letters"
      says="Records that are no valid events, by reason. Nothing of them is lost."
      how="Records of the topic ringtrace.dead-letters by their header ringtrace.reason. Read one with `ringtrace dead-letters show PARTITION/OFFSET`; `dead-letters replay` links them as if they had been right at first."
      query={query}
      wide
      actions={reason !== null && <a href={link('/pipeline', params)}>All reasons</a>}
      isEmpty={(data) => data.total_by_reason.length === 0}
      empty="No dead letters: every record was a valid event."
    >
      {(data) => (
        <div class="two">
          <BarList
            caption="Dead letters by reason"
            of="Records"
            rows={data.total_by_reason.map((row) => ({
              key: row.reason,
              label: words(row.reason),
              href: `/pipeline?${withParam(params, 'reason', row.reason)}`,
              amount: row.count,
              colour: 6,
            }))}
          />
          <Newest data={data} />
        </div>
      )}
    </Panel>
  );
}

function Newest({ data }: { data: DeadLetters }) {
  return (
    <Scroll label="Newest dead letters" height="tall">
      <table class="grid">
        <caption class="hidden">Newest dead letters</caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Reason</th>
            <th scope="col">Detail</th>
            <th scope="col">Position</th>
            <th scope="col">Source</th>
          </tr>
        </thead>
        <tbody>
          {data.items.map((item) => (
            <tr key={item.position}>
              <td class="nowrap">
                <Time at={item.at} />
              </td>
              <td class="nowrap">{words(item.reason)}</td>
              <td>{item.detail}</td>
              <th scope="row" class="mono">
                {item.position}
              </th>
              <td class="mono">{item.source}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
