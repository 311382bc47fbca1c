// The board as a table: everything that was judged, in any order.
import { useState } from 'preact/hooks';
import type { AppRisk, AppRisks } from '../../api/risk';
import { count, ratio, shownValue } from '../../format';
import { LEVEL_RANK, trendOf } from '../../model/levels';
import { link } from '../../state/url';
import { useParams } from '../../ui/context';
import { Level } from '../../ui/level';
import { type Column, SortTable } from '../../ui/sort-table';
import { Time } from '../../ui/time';

export function AppTable({ risks }: { risks: AppRisks }) {
  const params = useParams();
  const [open, setOpen] = useState(false);
  const share = (risk: AppRisk) => (risk.required === 0 ? null : risk.violations / risk.required);
  const columns: Column<AppRisk>[] = [
    {
      name: 'App version',
      value: (risk) => `${risk.app_id} ${risk.app_version}`,
      cell: (risk) => (
        <a href={link('/violations', params, filtersOf(risk))}>
          {shownValue(risk.app_id)} <strong>{shownValue(risk.app_version)}</strong>
        </a>
      ),
    },
    { name: 'Level', value: (risk) => LEVEL_RANK[risk.level], cell: (risk) => <Level level={risk.level} /> },
    { name: 'iOS', value: (risk) => risk.os_major, cell: (risk) => shownValue(risk.os_major) },
    { name: 'Tenant', value: (risk) => risk.tenant_id, cell: (risk) => risk.tenant_id },
    { name: 'Since', value: (risk) => risk.since, cell: (risk) => <Time at={risk.since} />, class: 'nowrap' },
    {
      name: 'In the range',
      value: (risk) => trendOf(risk.trend, risk.level, risks.from).text,
      cell: (risk) => trendOf(risk.trend, risk.level, risks.from).text,
    },
    {
      name: 'Required, 3 days',
      value: (risk) => risk.required,
      cell: (risk) => count(risk.required),
      isNumber: true,
    },
    {
      name: 'Violations',
      value: (risk) => risk.violations,
      cell: (risk) => count(risk.violations),
      isNumber: true,
    },
    { name: 'Share', value: share, cell: (risk) => ratio(share(risk)), isNumber: true },
    { name: 'Why', value: (risk) => risk.reason, cell: (risk) => risk.reason, class: 'sentence' },
  ];
  return (
    <details class="how" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        As a table<span class="hidden">: apps by level</span>
      </summary>
      {open && (
        <SortTable
          label="Apps by level"
          columns={columns}
          rows={risks.items}
          id={(risk) => Object.values(filtersOf(risk)).join(' ')}
          height="tall"
        />
      )}
    </details>
  );
}

export function filtersOf(risk: AppRisk) {
  return {
    tenant: risk.tenant_id,
    app: risk.app_id,
    app_version: risk.app_version,
    os_major: risk.os_major,
  };
}
