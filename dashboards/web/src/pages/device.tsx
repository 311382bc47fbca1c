// One device: is it still woken, what did its app do, which calls did it have?
import { useQuery } from '../api/query';
import type { DeviceDetail } from '../api/records';
import { useParams } from '../ui/context';
import { LegTable } from '../ui/leg-table';
import { PageHead } from '../ui/page-head';
import { Failure, Loading } from '../ui/states';
import { Facts, type Fact } from '../ui/facts';
import { Section } from '../ui/section';
import { shownValue } from '../format';
import { link } from '../state/url';
import { tenantOf } from '../ui/hrefs';
import { DeviceEvents } from './devices/events';
import { Strikes } from './devices/strikes';
import { StoredRisk, Suspicion } from './devices/suspicion';
import { SnapshotSection, Tokens } from './devices/snapshots';

export function DevicePage({ id = '' }: { id?: string }) {
  const params = useParams();
  const asked = tenantOf(params);
  const query = useQuery<DeviceDetail>(`/devices/${encodeURIComponent(id)}`, asked);
  const calls = link('/calls', asked, { device: id, view: 'legs', from: 'now-7d' });
  return (
    <>
      <PageHead title={<span class="mono">{id}</span>} says="Device" actions={<a href={calls}>Its legs</a>} />
      {query.error && <Failure error={query.error} retry={query.retry} over={query.data !== null} />}
      {query.data === null ? (
        query.error === null && <Loading what="the device" />
      ) : (
        <Device data={query.data} />
      )}
    </>
  );
}

function Device({ data }: { data: DeviceDetail }) {
  return (
    <>
      {data.risk.length > 0 ? <StoredRisk risks={data.risk} /> : <Suspicion suspicion={data.suspicion} />}
      <div class="panels">
        <Apps apps={data.apps} />
        <Strikes strikes={data.strikes} tenant={data.tenant_id} />
        <Tokens tokens={data.tokens} />
        <SnapshotSection
          title="Permissions"
          says="What the user allows, as the app last said."
          snapshot={data.permissions}
          empty="The app sent no permission.snapshot for this device."
        />
        <SnapshotSection
          title="Call directory"
          says="Whether the app’s call directory extension works, as it last said."
          snapshot={data.call_directory}
          empty="The app sent no call_directory.status for this device."
        />
        <Section title="Recent legs" says="The last legs of this device; open one for its whole story." wide>
          {data.legs.length === 0 ? (
            <p class="soft">No leg of this device is stored.</p>
          ) : (
            <LegTable legs={data.legs} caption="Recent legs" withDevice={false} />
          )}
        </Section>
        <DeviceEvents events={data.events} />
      </div>
    </>
  );
}

function Apps({ apps }: { apps: DeviceDetail['apps'] }) {
  return (
    <Section title="Apps" says="The device and its apps, as of their latest leg." wide>
      {apps.length === 0 && <p class="soft">No leg says which app this is.</p>}
      {apps.map((app) => (
        <Facts key={JSON.stringify(app)} facts={Object.entries(app).map(toFact)} />
      ))}
    </Section>
  );
}

const toFact = ([name, value]: [string, string | number | null]): Fact => ({
  name: name.replaceAll('_', ' '),
  value: shownValue(value === null ? null : String(value)),
});
