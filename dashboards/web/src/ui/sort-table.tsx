// A table whose columns sort it: by a press on the head, which says so to screen readers as well.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { nextOrder, type Order, type Sortable, sorted } from '../model/sort';
import { Scroll } from './scroll';

export interface Column<T> {
  name: string;
  /** What it is sorted by. */
  value: (row: T) => Sortable;
  cell: (row: T) => ComponentChildren;
  isNumber?: boolean;
  class?: string;
}

interface SortTableProps<T> {
  label: string;
  /** The first one heads its row. */
  columns: Column<T>[];
  rows: T[];
  id: (row: T) => string;
  height?: 'short' | 'tall';
}

export function SortTable<T>({ label, columns, rows, id, height }: SortTableProps<T>) {
  const [order, setOrder] = useState<Order | null>(null);
  const by = order === null ? undefined : columns[order.column];
  const shown = by ? sorted(rows, order, by.value) : rows;
  return (
    <Scroll label={label} {...(height ? { height } : {})}>
      <table class="grid">
        <thead>
          <tr>
            {columns.map((column, index) => (
              <th
                key={column.name}
                scope="col"
                class={column.isNumber ? 'num' : undefined}
                aria-sort={directionOf(order, index)}
              >
                <button
                  type="button"
                  class="sort"
                  onClick={() => setOrder(nextOrder(order, index, column.isNumber ?? false))}
                >
                  {column.name}
                  <span aria-hidden="true">{markOf(order, index)}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={id(row)}>
              {columns.map((column, index) => {
                const Cell = index === 0 ? 'th' : 'td';
                return (
                  <Cell
                    key={column.name}
                    class={column.isNumber ? 'num' : column.class}
                    {...(index === 0 ? { scope: 'row' as const } : {})}
                  >
                    {column.cell(row)}
                  </Cell>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function directionOf(order: Order | null, index: number): 'ascending' | 'descending' | undefined {
  if (order?.column !== index) return undefined;
  return order.descending ? 'descending' : 'ascending';
}

function markOf(order: Order | null, index: number): string {
  if (order?.column !== index) return ' ↕';
  return order.descending ? ' ▼' : ' ▲';
}
