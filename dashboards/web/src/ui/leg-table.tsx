// Legs as rows; each leads to its call.
import type { Leg } from '../api/records';
import { ms, shownValue } from '../format';
import { Diagnoses, Outcome, Verdict } from './badges';
import { callHref, deviceHref } from './hrefs';
import { Time } from './time';
import { Scroll } from './scroll';

export function LegTable({
  legs,
  caption,
  withDevice = true,
}: {
  legs: Leg[];
  caption: string;
  withDevice?: boolean;
}) {
  return (
    <Scroll label={caption}>
      <table class="grid">
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Began</th>
            <th scope="col">Call</th>
            <th scope="col">Verdict</th>
            <th scope="col">Outcome</th>
            <th scope="col">App</th>
            {withDevice && <th scope="col">Device</th>}
            <th scope="col">OS</th>
            <th scope="col" class="num">
              Sent → received
            </th>
            <th scope="col" class="num">
              Received → reported
            </th>
            <th scope="col">Diagnoses</th>
          </tr>
        </thead>
        <tbody>
          {legs.map((leg) => (
            <LegRow
              key={`${leg.tenant_id} ${leg.call_uuid} ${leg.device_id}`}
              leg={leg}
              withDevice={withDevice}
            />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function LegRow({ leg, withDevice }: { leg: Leg; withDevice: boolean }) {
  return (
    <tr>
      <td class="nowrap">
        <Time at={leg.started_at} />
      </td>
      <th scope="row">
        <a href={callHref(leg)} class="mono">
          {leg.call_uuid.slice(0, 8)}
        </a>
      </th>
      <td>
        <Verdict name={leg.verdict} evidence={leg.evidence} />
      </td>
      <td>
        <Outcome name={leg.outcome} />
      </td>
      <td class="nowrap">
        {leg.app_id} {leg.app_version ?? ''}
      </td>
      {withDevice && (
        <td>
          <a href={deviceHref(leg)} class="mono id" title={leg.device_id}>
            {leg.device_id}
          </a>
        </td>
      )}
      <td class="nowrap">
        {shownValue(leg.platform)} {leg.os_version ?? ''}
      </td>
      <td class="num">{ms(leg.sent_to_received_ms)}</td>
      <td class="num">{ms(leg.received_to_reported_ms)}</td>
      <td>
        <Diagnoses codes={leg.diagnoses} />
      </td>
    </tr>
  );
}
