// The time range: presets that follow now, or two moments in the viewer's zone.
import { useId, useState } from 'preact/hooks';
import { navigateTo } from '../state/router';
import { instant, PRESETS, toLocalInput } from '../state/range';
import { rangeOf, withRange } from '../state/url';
import { useParams } from './context';

export function RangePicker() {
  const params = useParams();
  const { from, to } = rangeOf(params);
  const preset = to === 'now' && PRESETS.some((one) => one.from === from) ? from : 'custom';
  const [editing, setEditing] = useState(false);
  const id = useId();
  return (
    <div class="range">
      <label for={id} class="hidden">
        Time range
      </label>
      <select
        id={id}
        value={editing ? 'custom' : preset}
        onChange={(event) => {
          const value = event.currentTarget.value;
          setEditing(value === 'custom');
          if (value !== 'custom') navigateTo(withRange(params, value, 'now'));
        }}
      >
        {PRESETS.map((one) => (
          <option key={one.from} value={one.from}>
            Last {one.label}
          </option>
        ))}
        <option value="custom">From … to …</option>
      </select>
      {(editing || preset === 'custom') && <Moments key={`${from}${to}`} done={() => setEditing(false)} />}
    </div>
  );
}

function Moments({ done }: { done: () => void }) {
  const params = useParams();
  const range = rangeOf(params);
  const now = Date.now();
  const [from, setFrom] = useState(toLocalInput(instant(range.from, now) ?? now - 3_600_000));
  const [to, setTo] = useState(toLocalInput(instant(range.to, now) ?? now));
  const valid = Date.parse(from) < Date.parse(to);
  return (
    <form
      class="moments"
      onSubmit={(event) => {
        event.preventDefault();
        if (!valid) return;
        done();
        navigateTo(withRange(params, new Date(from).toISOString(), new Date(to).toISOString()));
      }}
    >
      <input
        type="datetime-local"
        aria-label="From, your time zone"
        value={from}
        onInput={(e) => setFrom(e.currentTarget.value)}
      />
      <span aria-hidden="true">–</span>
      <input
        type="datetime-local"
        aria-label="To, your time zone"
        value={to}
        onInput={(e) => setTo(e.currentTarget.value)}
      />
      <button type="submit" class="button" disabled={!valid}>
        Show
      </button>
    </form>
  );
}
