// Chooses a dimension, looks for its values, ticks some of them.
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { useQuery } from '../api/query';
import type { DimensionValues } from '../api/types';
import { count, shownValue } from '../format';
import { navigateTo } from '../state/router';
import { type FilterName, isFilter, question, toggled } from '../state/url';
import { useParams, useWords } from './context';
import { Failure, Loading } from './states';

export function FilterEditor({ close, names }: { close: () => void; names: readonly FilterName[] }) {
  const words = useWords();
  const [name, setName] = useState<FilterName>('app');
  const [typed, setTyped] = useState('');
  const search = useSettled(typed, 200);
  const first = useRef<HTMLSelectElement>(null);
  const id = useId();
  useEffect(() => first.current?.focus(), []);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes what the button opened
    <div class="filter-editor" onKeyDown={(event) => event.key === 'Escape' && close()}>
      <div class="filter-fields">
        <label for={`${id}d`}>Filter by</label>
        <select
          id={`${id}d`}
          ref={first}
          value={name}
          onChange={(event) => {
            const value = event.currentTarget.value;
            if (isFilter(value)) setName(value);
            setTyped('');
          }}
        >
          {names.map((one) => (
            <option key={one} value={one}>
              {words.dimension(one)}
            </option>
          ))}
        </select>
        <input
          type="search"
          aria-label={`Values of ${words.dimension(name)} that begin with`}
          placeholder="begins with…"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <button type="button" class="button" onClick={close}>
          Done
        </button>
      </div>
      <Values name={name} search={search} />
    </div>
  );
}

function Values({ name, search }: { name: FilterName; search: string }) {
  const params = useParams();
  const asked = question(params, { [name]: null, q: search === '' ? undefined : search });
  const query = useQuery<DimensionValues>(`/dimensions/${name}`, asked, false);
  const chosen = params.getAll(name);
  if (query.error) return <Failure error={query.error} retry={query.retry} />;
  if (query.data === null || query.stale) return <Loading what="values" />;
  if (query.data.values.length === 0) return <p class="soft">No values in this range.</p>;
  return (
    <fieldset class="values">
      <legend class="hidden">Values</legend>
      {query.data.values.map(({ value, legs }) => (
        <label key={value ?? ''} class="value">
          <input
            type="checkbox"
            checked={chosen.includes(value ?? '')}
            onChange={() => navigateTo(toggled(params, name, value ?? ''), true)}
          />
          <span>{shownValue(value)}</span>
          <span class="num soft">{count(legs)}</span>
        </label>
      ))}
      {query.data.truncated && <p class="soft">More values: type how they begin.</p>}
    </fieldset>
  );
}

/** The value after it has rested for a while. */
function useSettled(value: string, ms: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
