// A frame around one question: title, what it shows, how it is computed, and every state that an answer can be in.
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { Query } from '../api/query';
import { Formulas } from './formulas';
import { Empty, Failure, Loading } from './states';

export interface PanelProps<T> {
  title: string;
  /** One sentence: what this shows. */
  says: string;
  /** Measures whose formulas stand behind the figures. */
  measures?: readonly string[] | undefined;
  /** How it is computed, where no measure says it. */
  how?: string | undefined;
  query: Query<T>;
  empty: ComponentChildren;
  isEmpty?: (data: T) => boolean;
  wide?: boolean;
  actions?: ComponentChildren;
  children: (data: T) => ComponentChildren;
}

export function Panel<T>(props: PanelProps<T>) {
  const { title, says, query, actions, wide = false } = props;
  const id = useId();
  return (
    <section class={`panel ${wide ? 'panel-wide' : ''}`} aria-labelledby={id} aria-busy={query.pending}>
      <header class="panel-head">
        <div>
          <h2 id={id}>{title}</h2>
          <p class="says">{says}</p>
        </div>
        {actions && <div class="panel-actions">{actions}</div>}
      </header>
      <div class={`panel-body ${query.pending && query.stale && query.data !== null ? 'is-old' : ''}`}>
        <Body {...props} />
      </div>
      <Formulas measures={props.measures ?? []} how={props.how} />
    </section>
  );
}

function Body<T>({ title, query, empty, isEmpty, children }: PanelProps<T>) {
  if (query.data === null) {
    if (query.error !== null && !query.pending) return <Failure error={query.error} retry={query.retry} />;
    return <Loading what={title.toLowerCase()} />;
  }
  return (
    <>
      {query.error !== null && <Failure error={query.error} retry={query.retry} over />}
      {isEmpty?.(query.data) ? <Empty>{empty}</Empty> : children(query.data)}
    </>
  );
}
