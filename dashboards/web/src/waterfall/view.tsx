// The waterfall: one row an event, placed on a common track; dots are facts, bars are the waiting before them.
import type { CallDetail } from '../api/records';
import { ms } from '../format';
import { navigateTo } from '../state/router';
import { withParam } from '../state/url';
import { useParams } from '../ui/context';
import { Section } from '../ui/section';
import { Time } from '../ui/time';
import { type Lane, layout, type Row, type ScaleName } from './layout';

export function WaterfallSection({ detail }: { detail: CallDetail }) {
  const scale: ScaleName = useParams().get('scale') === 'linear' ? 'linear' : 'compressed';
  const { lanes } = layout(detail, scale);
  return (
    <Section
      title="Waterfall"
      says="Every event in the order in which it happened, device clocks corrected. A bar is the time since the lane’s event before; a pale band is how uncertain the device’s clock is."
      actions={<ScaleSwitch scale={scale} />}
      wide
    >
      <ul class="legend">
        <li>
          <Dot kind="mark-milestone" /> decides something
        </li>
        <li>
          <Dot kind="mark-folded" /> took part, decided nothing
        </li>
        <li>
          <Dot kind="mark-history" /> history only
        </li>
      </ul>
      <table class="waterfall">
        <caption class="hidden">Events of the call by producer</caption>
        <thead>
          <tr>
            <th scope="col">Event</th>
            <th scope="col" class="track-head">
              {scale === 'linear' ? 'Time, true proportions' : 'Time, long gaps compressed'}
            </th>
            <th scope="col" class="num">
              Since start
            </th>
            <th scope="col" class="num wide-only">
              Since event before
            </th>
            <th scope="col" class="wide-only">
              Corrected time
            </th>
          </tr>
        </thead>
        {lanes.map((lane) => (
          <LaneRows key={lane.key} lane={lane} />
        ))}
      </table>
    </Section>
  );
}

function LaneRows({ lane }: { lane: Lane }) {
  return (
    <tbody>
      <tr class="lane-head">
        <th scope="rowgroup" colSpan={5}>
          {laneTitle(lane)} <span class="soft">{clockWords(lane)}</span>
        </th>
      </tr>
      {lane.rows.map((row) => (
        <tr key={row.event.event_id + row.event.log_at}>
          <th scope="row">
            <span class="mono">{row.event.kind}</span>
            <span class="hidden">, {markWords(row)}</span>
          </th>
          <td class="track">
            <Track row={row} device={lane.producer === 'device'} />
          </td>
          <td class="num">+{ms(row.sinceStartMs)}</td>
          <td class="num soft wide-only">{ms(row.gapMs)}</td>
          <td class="nowrap wide-only">
            <Time at={row.at} precise />
          </td>
        </tr>
      ))}
    </tbody>
  );
}

function markWords(row: Row): string {
  if (row.event.milestone) return 'decides something';
  return row.event.folded ? 'took part' : 'history only';
}

function Track({ row, device }: { row: Row; device: boolean }) {
  const kind = row.event.milestone ? 'mark-milestone' : row.event.folded ? 'mark-folded' : 'mark-history';
  const place = (x: number) => `${1.5 + x * 0.97}%`;
  return (
    <svg class={device ? 'track-svg of-device' : 'track-svg of-server'} aria-hidden="true" focusable="false">
      <line class="track-line" x1="0" x2="100%" y1="12" y2="12" />
      {row.unsure && (
        <rect
          class="unsure"
          x={place(row.unsure.from)}
          width={`${Math.max(0.4, row.unsure.to - row.unsure.from) * 0.97}%`}
          y="3"
          height="18"
          rx="3"
        />
      )}
      {row.before !== null && (
        <rect
          class="gap"
          x={place(row.before)}
          width={`${(row.x - row.before) * 0.97}%`}
          y="9.500"
          height="5"
        />
      )}
      <circle class={kind} cx={place(row.x)} cy="12" r="5" />
    </svg>
  );
}

function Dot({ kind }: { kind: string }) {
  return (
    <svg class="swatch of-server" viewBox="0 0 22 14" aria-hidden="true" focusable="false">
      <circle class={kind} cx="11" cy="7" r="5" />
    </svg>
  );
}

function laneTitle(lane: Lane): string {
  if (lane.deviceId === null) return 'Signalling server, about the call';
  return lane.producer === 'server' ? `Push gateway, for ${lane.deviceId}` : `Device ${lane.deviceId}`;
}

function clockWords(lane: Lane): string {
  if (lane.producer === 'server' || lane.leg === null) return '';
  const { offset_ms, spread_ms } = lane.leg.clock;
  if (offset_ms === null) return 'no event of the device';
  const shift = offset_ms === 0 ? 'no clock offset was told' : `clock corrected by ${ms(offset_ms)}`;
  return spread_ms ? `${shift}, uncertain by ${ms(spread_ms)}` : shift;
}

function ScaleSwitch({ scale }: { scale: ScaleName }) {
  const params = useParams();
  const choose = (name: ScaleName) =>
    navigateTo(withParam(params, 'scale', name === 'linear' ? 'linear' : null), true);
  return (
    <fieldset class="switch">
      <legend class="hidden">Time scale</legend>
      <button type="button" aria-pressed={scale === 'compressed'} onClick={() => choose('compressed')}>
        Gaps compressed
      </button>
      <button type="button" aria-pressed={scale === 'linear'} onClick={() => choose('linear')}>
        True proportions
      </button>
    </fieldset>
  );
}
