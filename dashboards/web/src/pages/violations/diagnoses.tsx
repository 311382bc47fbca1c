// What else is wrong, why, and what to do about it.
import { useQuery } from '../../api/query';
import type { Reasons } from '../../api/types';
import { words as plain } from '../../api/definitions';
import { BarList, type BarRow } from '../../charts/bar-list';
import { drill, question } from '../../state/url';
import { AdviceText } from '../../ui/advice';
import { useParams, useWords } from '../../ui/context';
import { Panel } from '../../ui/panel';

export function DiagnosesPanel() {
  const params = useParams();
  const words = useWords();
  const query = useQuery<Reasons>('/reasons', question(params, { kind: 'diagnoses' }));
  const toRow = (row: Reasons['diagnoses'][number]): BarRow => {
    const advice = words.all?.diagnoses.find((one) => one.code === row.code);
    return {
      key: row.code,
      label: plain(row.code),
      href: drill(params, { diagnosis: row.code }),
      amount: row.legs,
      share: row.share,
      colour: 2,
      more: advice && (
        <details class="how">
          <summary>
            Cause and remedy <span class="hidden">of {plain(row.code)}</span>
          </summary>
          <AdviceText {...advice} />
        </details>
      ),
    };
  };
  return (
    <Panel
      title="Diagnoses"
      says="What Ringtrace found on legs, each with its cause and its remedy."
      how="Legs that carry the diagnosis (contract 4.4); a leg may carry several. The share is of all legs."
      query={query}
      wide
      isEmpty={(data) => data.diagnoses.length === 0}
      empty="Nothing to diagnose in this range."
    >
      {(data) => {
        const rows = data.diagnoses.map(toRow);
        const half = Math.ceil(rows.length / 2);
        const most = Math.max(1, ...rows.map((row) => row.amount));
        const halves = rows.length > 6 ? [rows.slice(0, half), rows.slice(half)] : [rows];
        return (
          <div class={halves.length > 1 ? 'halves' : undefined}>
            {halves.map((part) => (
              <BarList key={part[0]?.key} caption="Legs by diagnosis" of="Legs" rows={part} most={most} />
            ))}
          </div>
        );
      }}
    </Panel>
  );
}
