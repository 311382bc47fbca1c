// Devices, those with most violations first; and the way to one of them.
import { useEffect, useState } from 'preact/hooks';
import { usePages } from '../api/pages';
import type { DeviceRow } from '../api/records';
import { count, shownValue } from '../format';
import { navigateTo } from '../state/router';
import { question, withParam } from '../state/url';
import { Badge } from '../ui/badges';
import { useParams } from '../ui/context';
import { FilterBar } from '../ui/filter-bar';
import { deviceHref } from '../ui/hrefs';
import { More } from '../ui/more';
import { PageHead } from '../ui/page-head';
import { Panel } from '../ui/panel';
import { SearchField } from '../ui/search-field';
import { Time } from '../ui/time';
import { Scroll } from '../ui/scroll';

export function DevicesPage() {
  const params = useParams();
  const [typed, setTyped] = useState(params.get('q') ?? '');
  useEffect(() => setTyped(params.get('q') ?? ''), [params]);
  const pages = usePages<DeviceRow>(
    '/devices',
    question(params, { q: params.get('q') ?? undefined, limit: 50 }),
  );
  return (
    <>
      <PageHead title="Devices" says="Which devices violate, and which iOS has probably stopped waking." />
      <SearchField
        label="Device id begins with"
        value={typed}
        onInput={setTyped}
        onSubmit={() => navigateTo(withParam(params, 'q', typed.trim() || null))}
      />
      <FilterBar />
      <Panel
        title="Devices by violations"
        says="Devices that had a leg in this range, most violations first."
        how="Violations: legs of the device with the verdict unreported. Silent: pushes were accepted for it and none was received, though the device was alive."
        query={pages}
        wide
        isEmpty={(items) => items.length === 0}
        empty="No device had a leg in this range with these filters."
      >
        {(items) => (
          <>
            <Table devices={items} />
            <More pages={pages} what="devices" />
          </>
        )}
      </Panel>
    </>
  );
}

function Table({ devices }: { devices: DeviceRow[] }) {
  return (
    <Scroll label="Devices">
      <table class="grid">
        <thead>
          <tr>
            <th scope="col">Device</th>
            <th scope="col">Waking</th>
            <th scope="col" class="num">
              Violations
            </th>
            <th scope="col" class="num">
              Legs
            </th>
            <th scope="col">App</th>
            <th scope="col">Model, OS</th>
            <th scope="col">Last leg</th>
            <th scope="col">Last received</th>
          </tr>
        </thead>
        <tbody>
          {devices.map((device) => (
            <tr key={`${device.tenant_id} ${device.device_id}`}>
              <th scope="row">
                <a class="mono id" href={deviceHref(device)} title={device.device_id}>
                  {device.device_id}
                </a>
              </th>
              <td>
                {device.suspected === 'silent' ? (
                  <Badge
                    tone="warn"
                    icon="bang"
                    text="silent"
                    title="Pushes are accepted for it, and none arrives."
                  />
                ) : (
                  <Badge tone="quiet" icon="check" text="nothing unusual" />
                )}
              </td>
              <td class="num">{count(device.violations)}</td>
              <td class="num">{count(device.legs)}</td>
              <td class="nowrap">
                {shownValue(device.app_id)} {device.app_version ?? ''}
              </td>
              <td class="nowrap">
                {shownValue(device.device_model)}, {shownValue(device.os_version)}
              </td>
              <td class="nowrap">
                <Time at={device.last_leg_at} />
              </td>
              <td class="nowrap">
                <Time at={device.last_received_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
