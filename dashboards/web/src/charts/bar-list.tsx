// Amounts side by side as a table with bars; each name leads to what is behind it.
import type { ComponentChildren } from 'preact';
import { count, ratio } from '../format';

export interface BarRow {
  key: string;
  label: ComponentChildren;
  href: string;
  amount: number;
  share?: number | null;
  /** Colour of the bar, 1 to 8, where it matches a legend. */
  colour?: number;
  more?: ComponentChildren;
}

interface BarListProps {
  caption: string;
  of: string;
  rows: BarRow[];
  /** The amount of a full bar, where several lists stand side by side. */
  most?: number;
}

export function BarList({ caption, of, rows, most: given }: BarListProps) {
  const most = given ?? Math.max(1, ...rows.map((row) => row.amount));
  const shares = rows.some((row) => row.share !== undefined);
  return (
    <table class="bars">
      <caption class="hidden">{caption}</caption>
      <thead class="hidden">
        <tr>
          <th scope="col">Name</th>
          <th scope="col">{of}</th>
          {shares && <th scope="col">Share</th>}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.key}>
            <th scope="row">
              <a href={row.href}>{row.label}</a>
              <Bar share={row.amount / most} colour={row.colour ?? 1} />
              {row.more}
            </th>
            <td class="num">{count(row.amount)}</td>
            {shares && <td class="num soft">{ratio(row.share)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Bar({ share, colour = 1 }: { share: number; colour?: number }) {
  return (
    <svg class={`bar fill-${colour}`} aria-hidden="true" focusable="false">
      <rect class="bar-track" width="100%" height="100%" rx="3" />
      <rect width={`${Math.max(share > 0 ? 0.5 : 0, Math.min(1, share) * 100)}%`} height="100%" rx="3" />
    </svg>
  );
}
