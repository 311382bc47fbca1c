// Legs, newest first.
import { usePages } from '../../api/pages';
import type { Leg } from '../../api/records';
import { LegTable } from '../../ui/leg-table';
import { More } from '../../ui/more';
import { Panel } from '../../ui/panel';

export function LegList({ asked }: { asked: URLSearchParams }) {
  const pages = usePages<Leg>('/legs', asked);
  return (
    <Panel
      title="Legs"
      says="Newest beginning first; each leads to its call."
      query={pages}
      wide
      isEmpty={(items) => items.length === 0}
      empty="No leg in this range fits these filters. Remove a filter, or widen the range."
    >
      {(items) => (
        <>
          <LegTable legs={items} caption="Legs" />
          <More pages={pages} what="legs" />
        </>
      )}
    </Panel>
  );
}
