// The device's own events, newest as the API gives them.
import type { RawEvent } from '../../api/records';
import { attributeText } from '../../ui/facts';
import { Section } from '../../ui/section';
import { Time } from '../../ui/time';
import { Scroll } from '../../ui/scroll';

export function DeviceEvents({ events }: { events: RawEvent[] }) {
  return (
    <Section
      title="Device events"
      says="What came on device-events for it: launches, tokens, crashes, heartbeats."
      wide
    >
      {events.length === 0 ? (
        <p class="soft">No device event is stored for it.</p>
      ) : (
        <Scroll label="Device events" height="tall">
          <table class="grid">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Kind</th>
                <th scope="col">Contents</th>
              </tr>
            </thead>
            <tbody>
              {events.map((event) => (
                <tr key={event.event_id + event.log_at}>
                  <td class="nowrap">
                    <Time at={event.corrected_at ?? event.occurred_at} />
                  </td>
                  <th scope="row" class="mono">
                    {event.kind}
                  </th>
                  <td class="attributes">
                    {Object.entries(event.attributes)
                      .map(([name, value]) => `${name} ${attributeText(value)}`)
                      .join(', ')}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </Section>
  );
}
