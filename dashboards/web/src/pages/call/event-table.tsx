// Every stored event of the call, with all that it carried.
import type { RawEvent } from '../../api/records';
import { ms, NONE } from '../../format';
import { attributeFacts, Facts } from '../../ui/facts';
import { Section } from '../../ui/section';
import { Time } from '../../ui/time';
import { Scroll } from '../../ui/scroll';

export function EventTable({ events }: { events: RawEvent[] }) {
  return (
    <Section
      title="Events"
      says="As they are stored. Corrected time is the device’s own plus its clock offset; logged is when Kafka had it, after so long."
      wide
    >
      <Scroll label="Events">
        <table class="grid">
          <thead>
            <tr>
              <th scope="col">Corrected time</th>
              <th scope="col">Kind</th>
              <th scope="col">Producer</th>
              <th scope="col">Device</th>
              <th scope="col" class="num">
                Clock offset
              </th>
              <th scope="col" class="num">
                Logged after
              </th>
              <th scope="col">Contents</th>
              <th scope="col">Source</th>
            </tr>
          </thead>
          <tbody>
            {events.map((event) => (
              <EventRow key={event.event_id + event.log_at} event={event} />
            ))}
          </tbody>
        </table>
      </Scroll>
    </Section>
  );
}

function EventRow({ event }: { event: RawEvent }) {
  const facts = [...attributeFacts(event.attributes), { name: 'event_id', value: event.event_id }];
  return (
    <tr class={event.folded ? undefined : 'soft'}>
      <td class="nowrap">
        <Time at={event.corrected_at} precise />
      </td>
      <th scope="row" class="mono">
        {event.kind}
      </th>
      <td>{event.producer}</td>
      <td class="mono">{event.device_id ?? NONE}</td>
      <td class="num">
        {event.clock_offset_ms === null || event.clock_offset_ms === 0 ? NONE : ms(event.clock_offset_ms)}
      </td>
      <td class="num">{ms(event.log_at - event.corrected_at)}</td>
      <td>
        <details class="how">
          <summary>
            {Object.keys(event.attributes).length} fields<span class="hidden"> of {event.kind}</span>
          </summary>
          <Facts facts={facts} />
        </details>
      </td>
      <td class="mono">{event.source}</td>
    </tr>
  );
}
