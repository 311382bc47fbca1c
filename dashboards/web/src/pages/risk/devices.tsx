// Devices with strikes, the worst first; each leads to its page.
import { useEffect, useState } from 'preact/hooks';
import { usePages } from '../../api/pages';
import { useQuery } from '../../api/query';
import type { DeviceLevel, DeviceRisk, DeviceRisks } from '../../api/risk';
import { count, shownValue } from '../../format';
import { DEVICE_LEVELS, LEVEL_LOOKS, LEVEL_RANK } from '../../model/levels';
import { navigateTo } from '../../state/router';
import { picked, toggled, withParam } from '../../state/url';
import { useParams } from '../../ui/context';
import { callHref, deviceHref } from '../../ui/hrefs';
import { Icon } from '../../ui/icons';
import { Level } from '../../ui/level';
import { More } from '../../ui/more';
import { Panel } from '../../ui/panel';
import { SearchField } from '../../ui/search-field';
import { type Column, SortTable } from '../../ui/sort-table';
import { Time } from '../../ui/time';

export function DevicesAtRisk() {
  const params = useParams();
  const of = ['tenant', 'app', 'q'] as const;
  const [typed, setTyped] = useState(params.get('q') ?? '');
  useEffect(() => setTyped(params.get('q') ?? ''), [params]);
  const pages = usePages<DeviceRisk>('/risk/devices', picked(params, [...of, 'level'], { limit: 50 }));
  // Counts are of all levels, whichever are listed.
  const counts = useQuery<DeviceRisks>('/risk/devices', picked(params, of, { limit: 1 }));
  return (
    <Panel
      title="Devices at risk"
      says="Apps on devices where pushes ended without a report, as they are now; where iOS is suspected to have stopped waking the app come first."
      how="A strike is a violation, or a crash while a VoIP push was waiting. It counts for 7 days, unless the app is installed anew or a push is received in the background. One is watch, two at risk, three critical: settings of the alerter, for Apple documents no number. Suspected: after strikes, several accepted pushes without a receipt though the device was alive, and devices without strikes did not lose theirs. It is never more than a suspicion."
      query={pages}
      wide
      actions={
        <>
          <Levels counts={counts.data} />
          <SearchField
            label="Device id begins with"
            value={typed}
            onInput={setTyped}
            onSubmit={() => navigateTo(withParam(params, 'q', typed.trim() || null))}
          />
        </>
      }
      isEmpty={(items) => items.length === 0}
      empty="No device with these filters has a strike that counts, or had one and is well again (ok)."
    >
      {(items) => (
        <>
          <SortTable
            label="Devices at risk"
            columns={COLUMNS}
            rows={items}
            id={(device) => `${device.tenant_id} ${device.app_id} ${device.device_id}`}
          />
          <More pages={pages} what="devices" />
        </>
      )}
    </Panel>
  );
}

/** One button a level; none pressed shows all but ok. */
function Levels({ counts }: { counts: DeviceRisks | null }) {
  const params = useParams();
  const chosen = params.getAll('level');
  const of = (level: DeviceLevel) => counts?.levels.find((one) => one.level === level)?.devices;
  return (
    <fieldset class="field-inline">
      <legend class="hidden">Only devices of these levels</legend>
      {DEVICE_LEVELS.map((level) => (
        <button
          key={level}
          type="button"
          class="chip chip-toggle"
          aria-pressed={chosen.includes(level)}
          onClick={() => navigateTo(toggled(params, 'level', level))}
        >
          <Icon name={LEVEL_LOOKS[level].icon} /> {LEVEL_LOOKS[level].text} {count(of(level))}
        </button>
      ))}
    </fieldset>
  );
}

const COLUMNS: Column<DeviceRisk>[] = [
  {
    name: 'Device',
    value: (device) => device.device_id,
    cell: (device) => (
      <a class="mono id" href={deviceHref(device)} title={device.device_id}>
        {device.device_id}
      </a>
    ),
  },
  {
    name: 'Level',
    value: (device) => LEVEL_RANK[device.level],
    cell: (device) => <Level level={device.level} />,
  },
  {
    name: 'Since',
    value: (device) => device.since,
    cell: (device) => <Time at={device.since} />,
    class: 'nowrap',
  },
  {
    name: 'Strikes',
    value: (device) => device.strikes,
    cell: (device) => count(device.strikes),
    isNumber: true,
  },
  {
    name: 'Last strike',
    value: (device) => device.last_strike_at,
    cell: (device) => <Time at={device.last_strike_at} />,
    class: 'nowrap',
  },
  {
    name: 'App',
    value: (device) => device.app_id,
    cell: (device) => shownValue(device.app_id),
    class: 'nowrap',
  },
  { name: 'Why', value: (device) => device.reason, cell: (device) => device.reason, class: 'sentence' },
  { name: 'Call', value: (device) => device.call_uuid, cell: (device) => <CallOf device={device} /> },
];

function CallOf({ device: { tenant_id, call_uuid } }: { device: DeviceRisk }) {
  if (call_uuid === null) return null;
  return (
    <a class="mono" href={callHref({ tenant_id, call_uuid })}>
      {call_uuid.slice(0, 8)}
    </a>
  );
}
