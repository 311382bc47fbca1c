// What else is wrong, why, and what to do about it.
import { useQuery } from '../../api/query';
import type { Reasons } from '../../api/types';
import { words as plain } from '../../api/definitions';
import { BarList } from '../../charts/bar-list';
import { drill, question } from '../../state/url';
import { AdviceText } from '../../ui/advice';
import { useParams, useWords } from '../../ui/context';
import { Panel } from '../../ui/panel';

export function DiagnosesPanel() {
  const params = useParams();
  const words = useWords();
  const query = useQuery<Reasons>('/reasons', question(params));
  return (
    <Panel
      title="Diagnoses"
      says="What Ringtrace found on legs, each with its cause and its remedy."
      how="Legs that carry the diagnosis (contract 4.4); a leg may carry several. The share is of all legs."
      query={query}
      isEmpty={(data) => data.diagnoses.length === 0}
      empty="Nothing to diagnose in this range."
    >
      {(data) => (
        <BarList
          caption="Legs by diagnosis"
          of="Legs"
          rows={data.diagnoses.map((row) => {
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
          })}
        />
      )}
    </Panel>
  );
}
