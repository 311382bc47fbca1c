// A chart's figures as a table, for whoever can't or won't read a picture. Built only when it is opened.
import { useState } from 'preact/hooks';
import { byUnit } from '../format';
import { bucketWords, type Drawn } from './lines';
import { Scroll } from '../ui/scroll';

interface DataTableProps {
  title: string;
  drawn: Drawn;
  href: (index: number) => string | null;
}

export function DataTable({ title, drawn, href }: DataTableProps) {
  const [open, setOpen] = useState(false);
  return (
    <details class="how" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        As a table<span class="hidden">: {title}</span>
      </summary>
      {open && (
        <Scroll label={`${title}, as a table`} height="short">
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                {drawn.lines.map((line) => (
                  <th key={line.label} scope="col" class="num">
                    {line.label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {drawn.times.map((at, index) => (
                <tr key={at}>
                  <th scope="row">
                    <Moment href={href(index)} text={bucketWords(drawn, index)} />
                  </th>
                  {drawn.lines.map((line) => (
                    <td key={line.label} class="num">
                      {byUnit(line.values[index] ?? null, drawn.unit)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </details>
  );
}

function Moment({ href, text }: { href: string | null; text: string }) {
  return href === null ? text : <a href={href}>{text}</a>;
}
