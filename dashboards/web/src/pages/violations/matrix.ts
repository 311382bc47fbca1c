// App versions down, OS versions across. Pure.
import type { Group } from '../../api/types';
import { wilson } from '../../model/wilson';

export interface Cell {
  violations: number;
  required: number;
  rate: number | null;
  /** 0 none, 1 seen, 2 above 0.1 % for sure, 3 above 1 % for sure: what the shading says. */
  level: 0 | 1 | 2 | 3;
}

export interface Matrix {
  rows: string[];
  columns: string[];
  cell(row: string, column: string): Cell | null;
}

export function matrixOf(groups: Group[], down: string, across: string): Matrix {
  const cells = new Map<string, Cell>();
  const rows = new Set<string>();
  const columns = new Set<string>();
  for (const { key, current } of groups) {
    const required = current.required_reports ?? 0;
    if (required === 0) continue;
    const row = key[down] ?? '';
    const column = key[across] ?? '';
    rows.add(row);
    columns.add(column);
    const violations = current.violations ?? 0;
    cells.set(`${row}\n${column}`, {
      violations,
      required,
      rate: current.violation_rate ?? null,
      level: levelOf(violations, required),
    });
  }
  return {
    rows: [...rows].sort(byVersion).reverse(),
    columns: [...columns].sort(byVersion),
    cell: (row, column) => cells.get(`${row}\n${column}`) ?? null,
  };
}

function levelOf(violations: number, required: number): Cell['level'] {
  if (violations === 0) return 0;
  const low = wilson(violations, required)?.low ?? 0;
  if (required >= 20 && low > 0.01) return 3;
  return required >= 20 && low > 0.001 ? 2 : 1;
}

/** 17.10 comes after 17.9. */
export function byVersion(a: string, b: string): number {
  const [left, right] = [a.split(/[.\-_ ]/), b.split(/[.\-_ ]/)];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const [x, y] = [left[at] ?? '', right[at] ?? ''];
    const difference = Number(x) - Number(y);
    if (Number.isFinite(difference) && x !== '' && y !== '' && difference !== 0) return difference;
    if (!Number.isFinite(difference) || x === '' || y === '') {
      const order = x.localeCompare(y);
      if (order !== 0) return order;
    }
  }
  return 0;
}
