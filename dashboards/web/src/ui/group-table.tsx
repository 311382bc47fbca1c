// Measures by dimension: one row a group, each leading on.
import type { Group } from '../api/types';
import { byUnit, shownValue } from '../format';
import { type Extra, link } from '../state/url';
import { useParams, useWords } from './context';
import { Scroll } from './scroll';

interface GroupTableProps {
  caption: string;
  dimensions: string[];
  measures: string[];
  groups: Group[];
  truncated: boolean;
  /** Where a row leads; the page with the group as a filter unless said. */
  href?: (key: Extra) => string;
}

export function GroupTable({ caption, dimensions, measures, groups, truncated, href }: GroupTableProps) {
  const words = useWords();
  const params = useParams();
  const lead = href ?? ((key: Extra) => link('/calls', params, { ...key, view: 'legs' }));
  return (
    <Scroll label={caption}>
      <table class="grid">
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {dimensions.map((name) => (
              <th key={name} scope="col">
                {words.dimension(name)}
              </th>
            ))}
            {measures.map((name) => (
              <th key={name} scope="col" class="num" title={words.measure(name).formula}>
                {words.measure(name).label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <tr key={JSON.stringify(group.key)}>
              {dimensions.map((name, index) => {
                const value = shownValue(group.key[name] ?? null);
                const Cell = index === 0 ? 'th' : 'td';
                return (
                  <Cell key={name} {...(index === 0 ? { scope: 'row' as const } : {})}>
                    <a href={lead(asFilters(group))}>{value}</a>
                  </Cell>
                );
              })}
              {measures.map((name) => (
                <td key={name} class="num">
                  {byUnit(group.current[name], words.measure(name).unit)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {truncated && <p class="soft">Only the groups with most legs are shown; a filter shows others.</p>}
    </Scroll>
  );
}

export function asFilters(group: Group): Extra {
  return Object.fromEntries(Object.entries(group.key).map(([name, value]) => [name, value ?? '']));
}
