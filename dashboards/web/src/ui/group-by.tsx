// Which dimension a table is broken down by; kept in the address.
import { useId } from 'preact/hooks';
import { navigateTo } from '../state/router';
import { FILTERS, withParam } from '../state/url';
import { useParams, useWords } from './context';

export function GroupBy({ standard }: { standard: string }) {
  const params = useParams();
  const words = useWords();
  const id = useId();
  const chosen = groupingOf(params, standard);
  return (
    <div class="field-inline">
      <label for={id}>by</label>
      <select
        id={id}
        value={chosen}
        onChange={(event) => {
          const value = event.currentTarget.value;
          navigateTo(withParam(params, 'group_by', value === standard ? null : value));
        }}
      >
        {FILTERS.map((name) => (
          <option key={name} value={name}>
            {words.dimension(name)}
          </option>
        ))}
        {!(FILTERS as readonly string[]).includes(chosen) && (
          <option value={chosen}>{chosen.replace(',', ' × ')}</option>
        )}
      </select>
    </div>
  );
}

export function groupingOf(params: URLSearchParams, standard: string): string {
  return params.get('group_by') || standard;
}
