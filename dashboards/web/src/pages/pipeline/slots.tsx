// Who owns which slot, and how far it is.
import type { Pipeline } from '../../api/records';
import { count, shownValue } from '../../format';
import { Time } from '../../ui/time';
import { Scroll } from '../../ui/scroll';

export function SlotTable({ slots }: { slots: Pipeline['slots'] }) {
  return (
    <Scroll label="Slots">
      <table class="grid">
        <thead>
          <tr>
            <th scope="col">Slot</th>
            <th scope="col">Log clock</th>
            <th scope="col" class="num">
              Lag, records
            </th>
            <th scope="col" class="num">
              Open calls
            </th>
            <th scope="col" class="num">
              Flush
            </th>
            <th scope="col">Written</th>
            <th scope="col">Instance</th>
          </tr>
        </thead>
        <tbody>
          {slots.map((slot) => (
            <tr key={slot.slot}>
              <th scope="row">{slot.slot}</th>
              <td class="nowrap">
                <Time at={slot.log_clock} />
              </td>
              <td class="num">{count(slot.lag)}</td>
              <td class="num">{count(slot.open_calls)}</td>
              <td class="num">{count(slot.sequence)}</td>
              <td class="nowrap">
                <Time at={slot.written_at} />
              </td>
              <td class="mono">{shownValue(slot.instance)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
