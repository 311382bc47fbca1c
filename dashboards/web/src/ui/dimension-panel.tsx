// The same measures for each value of a dimension that the viewer chooses.
import { useQuery } from '../api/query';
import type { Summary } from '../api/types';
import { type Extra, question } from '../state/url';
import { useParams } from './context';
import { GroupBy, groupingOf } from './group-by';
import { GroupTable } from './group-table';
import { Panel } from './panel';

interface DimensionPanelProps {
  title: string;
  says: string;
  empty: string;
  measures: string[];
  /** Where a row leads; the legs of the group unless said. */
  href?: (key: Extra) => string;
}

const STANDARD = 'app_version';

export function DimensionPanel({ title, says, empty, measures, href }: DimensionPanelProps) {
  const params = useParams();
  const by = groupingOf(params, STANDARD);
  const query = useQuery<Summary>(
    '/summary',
    question(params, { group_by: by, measures: measures.join(',') }),
  );
  return (
    <Panel
      title={title}
      says={says}
      measures={measures}
      query={query}
      wide
      actions={<GroupBy standard={STANDARD} />}
      isEmpty={(data) => data.groups.length === 0}
      empty={empty}
    >
      {(data) => (
        <GroupTable
          caption={title}
          dimensions={by.split(',')}
          measures={measures}
          groups={data.groups}
          truncated={data.truncated}
          href={href}
        />
      )}
    </Panel>
  );
}
