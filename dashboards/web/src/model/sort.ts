// The order of a table that somebody sorts by a column. Pure.

export type Sortable = string | number | null;

export interface Order {
  column: number;
  descending: boolean;
}

/** As they came without an order; nothing known goes last, whichever the direction. Equal ones stay in their order. */
export function sorted<T>(rows: T[], order: Order | null, value: (row: T) => Sortable): T[] {
  if (order === null) return rows;
  const sign = order.descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    if (typeof x === 'number' && typeof y === 'number') return sign * (x - y);
    return sign * String(x).localeCompare(String(y), 'en', { numeric: true });
  });
}

/** What a press on a column's head asks for: the largest number or the first word, the other way round, as it came. */
export function nextOrder(order: Order | null, column: number, isNumber: boolean): Order | null {
  if (order?.column !== column) return { column, descending: isNumber };
  return order.descending === isNumber ? { column, descending: !isNumber } : null;
}
