// Range, the filters in force, and the way to more of them; all of it is the address.
import { useState } from 'preact/hooks';
import { words as plain } from '../api/definitions';
import { shownValue } from '../format';
import { navigateTo } from '../state/router';
import { type FilterName, FILTERS, filtersOf, LIST_FILTERS, toggled, withoutFilters } from '../state/url';
import { useParams, useWords } from './context';
import { FilterEditor } from './filter-editor';
import { Icon } from './icons';
import { RangePicker } from './range-picker';

interface FilterBarProps {
  /** The page also knows the filters that drill-downs bring. */
  lists?: boolean;
  ranged?: boolean;
  /** The filters that the page knows; all where left out. */
  only?: readonly FilterName[];
}

export function FilterBar({ lists = false, ranged = true, only = FILTERS }: FilterBarProps) {
  const params = useParams();
  const words = useWords();
  const [open, setOpen] = useState(false);
  const labelled = filtersOf(params).map(({ name, value }) => ({
    name: name as string,
    value,
    label: words.dimension(name),
  }));
  const common = labelled.filter(({ name }) => (only as readonly string[]).includes(name));
  const idle = labelled.filter((filter) => !common.includes(filter));
  const special = lists
    ? LIST_FILTERS.flatMap((name) =>
        params.getAll(name).map((value) => ({ name, value, label: plain(name) })),
      )
    : [];
  const chips = [...common, ...special];
  return (
    <section class="filter-bar" aria-label="Range and filters">
      <div class="filter-row">
        {ranged && <RangePicker />}
        {chips.map(({ name, value, label }) => (
          <button
            key={`${name}=${value}`}
            type="button"
            class="chip"
            onClick={() => navigateTo(toggled(params, name, value))}
            aria-label={`Remove the filter ${label}: ${shownValue(value)}`}
          >
            <span class="chip-name">{label}</span> {shownValue(value)}
            <Icon name="close" />
          </button>
        ))}
        <button type="button" class="button button-quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon name="plus" /> Filter
        </button>
        {chips.length > 1 && (
          <button
            type="button"
            class="button button-quiet"
            onClick={() => navigateTo(withoutFilters(params))}
          >
            Clear
          </button>
        )}
      </div>
      {open && <FilterEditor close={() => setOpen(false)} names={only} />}
      {idle.length > 0 && (
        <p class="soft">
          Filters that this page does not know, and that wait for the others:{' '}
          {idle.map(({ label, value }) => `${label} ${shownValue(value)}`).join(', ')}.
        </p>
      )}
    </section>
  );
}
