// A panel with measures over time.
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { type Query, useQuery } from '../api/query';
import type { Series, Unit } from '../api/types';
import { hasValues, linesOf } from '../charts/lines';
import type { PlotKind } from '../charts/plot';
import { TimeChart } from '../charts/time-chart';
import { type Extra, question } from '../state/url';
import { useParams, useWords } from './context';
import { Panel } from './panel';

interface SeriesPanelProps {
  title: string;
  says: string;
  measures: string[];
  unit: Unit;
  compare?: boolean;
  /** Its measures, with those of other panels; it asks for them itself where there is none. */
  query?: Query<Series>;
  kind?: PlotKind;
  extra?: Extra;
  wide?: boolean;
  /** Shorter names for the legend, by measure. */
  names?: Record<string, string>;
  empty?: ComponentChildren;
  actions?: ComponentChildren;
}

export function SeriesPanel(props: SeriesPanelProps) {
  const {
    title,
    says,
    measures,
    unit,
    compare = false,
    kind = 'line',
    extra = {},
    names,
    wide = false,
  } = props;
  const params = useParams();
  const words = useWords();
  const asked = { ...extra, measures: measures.join(','), compare: compare ? '7d' : undefined };
  const own = useQuery<Series>(props.query ? null : '/series', question(params, asked));
  const query = props.query ?? own;
  const asked_names = measures.join(',');
  const drawn = useMemo(() => {
    if (query.data === null) return null;
    const named = asked_names
      .split(',')
      .map((name) => ({ name, label: names?.[name] ?? words.measure(name).label }));
    return linesOf(query.data, named, unit);
  }, [query.data, asked_names, unit, words, names]);
  return (
    <Panel
      title={title}
      says={says}
      measures={measures}
      query={query}
      wide={wide}
      actions={props.actions}
      isEmpty={() => drawn === null || (unit !== 'ratio' && !hasValues(drawn)) || !drawn.lines.some(known)}
      empty={
        props.empty ??
        'No calls like these began in this range. A wider range or fewer filters may show some.'
      }
    >
      {() => drawn && <TimeChart title={title} drawn={drawn} kind={kind} />}
    </Panel>
  );
}

const known = (line: { values: (number | null)[] }) => line.values.some((value) => value !== null);
