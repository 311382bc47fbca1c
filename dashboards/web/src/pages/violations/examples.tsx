// The newest violating legs.
import { useQuery } from '../../api/query';
import type { Leg, Page } from '../../api/records';
import { drill, question } from '../../state/url';
import { useParams } from '../../ui/context';
import { LegTable } from '../../ui/leg-table';
import { Panel } from '../../ui/panel';

export function NewestExamples() {
  const params = useParams();
  const filters = { verdict: 'unreported' };
  const query = useQuery<Page<Leg>>('/legs', question(params, { ...filters, limit: 8 }));
  return (
    <Panel
      title="Newest examples"
      says="The last legs whose push ended without a report; open one for its whole story."
      how="Legs with the verdict unreported, newest beginning first."
      query={query}
      wide
      actions={<a href={drill(params, filters)}>All of them</a>}
      isEmpty={(data) => data.items.length === 0}
      empty="No violation in this range."
    >
      {(data) => <LegTable legs={data.items} caption="Newest violating legs" />}
    </Panel>
  );
}
