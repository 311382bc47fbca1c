// Calls, or their legs, by anything: search, filters, what a chart led to; and exports of the same.
import { useEffect, useState } from 'preact/hooks';
import { navigateTo } from '../state/router';
import { type Extra, LIST_FILTERS, question, withParam } from '../state/url';
import { useParams } from '../ui/context';
import { FilterBar } from '../ui/filter-bar';
import { PageHead } from '../ui/page-head';
import { SearchField } from '../ui/search-field';
import { CallList } from './calls/call-list';
import { Export } from './calls/export';
import { LegList } from './calls/leg-list';

type View = 'calls' | 'legs';

export function CallsPage() {
  const params = useParams();
  const view: View = params.get('view') === 'legs' ? 'legs' : 'calls';
  const asked = question(params, extras(params, view));
  const [typed, setTyped] = useState(params.get('q') ?? '');
  useEffect(() => setTyped(params.get('q') ?? ''), [params]);
  const search = () => {
    const text = typed.trim();
    navigateTo(
      withParam(withParam(params, 'q', text || null), 'view', text === '' ? params.get('view') : null),
    );
  };
  return (
    <>
      <PageHead
        title="Calls"
        says="Every call and each of its legs (a call on one device). Open one for its whole story."
        actions={<Export path={`/${view}/export`} params={asked} />}
      />
      <SearchField label="Call UUID, device or app" value={typed} onInput={setTyped} onSubmit={search} />
      <FilterBar lists />
      <ViewSwitch view={view} />
      {view === 'legs' ? <LegList asked={asked} /> : <CallList asked={asked} />}
    </>
  );
}

const ONLY_CALLS = new Set(['call_outcome']);

function extras(params: URLSearchParams, view: View): Extra {
  const extra: Record<string, string[] | string | undefined> = {};
  for (const name of LIST_FILTERS) {
    const fits = ONLY_CALLS.has(name) ? view === 'calls' : view === 'legs';
    if (fits && params.has(name)) extra[name] = params.getAll(name);
  }
  if (view === 'calls') extra.q = params.get('q') || undefined;
  return extra;
}

function ViewSwitch({ view }: { view: View }) {
  const params = useParams();
  const names: View[] = ['calls', 'legs'];
  return (
    <fieldset class="switch">
      <legend class="hidden">Show</legend>
      {names.map((name) => (
        <button
          key={name}
          type="button"
          aria-pressed={view === name}
          onClick={() => navigateTo(withParam(params, 'view', name === 'legs' ? 'legs' : null))}
        >
          {name === 'calls' ? 'Calls' : 'Legs'}
        </button>
      ))}
    </fieldset>
  );
}
