// One cursor for every chart: arrow keys move it, Enter opens what is behind it, and a screen reader hears the value.
import { useState } from 'preact/hooks';
import { navigate } from '../state/router';
import { moved } from './cursor-keys';

export interface CursorProps {
  role: 'slider';
  tabIndex: 0;
  'aria-label': string;
  'aria-valuemin': number;
  'aria-valuemax': number;
  'aria-valuenow': number;
  'aria-valuetext': string;
  onKeyDown: (event: KeyboardEvent) => void;
}

export interface Cursor {
  index: number | null;
  set: (index: number | null) => void;
  props: CursorProps;
}

interface CursorOptions {
  label: string;
  count: number;
  text: (index: number) => string;
  href: (index: number) => string | null;
  /** Up and down, where the chart has a second direction. */
  vertical?: (step: 1 | -1) => void;
}

export function useCursor({ label, count, text, href, vertical }: CursorOptions): Cursor {
  const [held, setIndex] = useState<number | null>(null);
  const index = held === null ? null : Math.min(held, count - 1);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && index !== null) {
      const target = href(index);
      if (target !== null) navigate(target);
    } else if (vertical && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      vertical(event.key === 'ArrowUp' ? 1 : -1);
    } else {
      const next = moved(event.key, index, count);
      if (next === undefined) return;
      setIndex(next);
    }
    event.preventDefault();
  };
  const at = index ?? Math.max(0, count - 1);
  return {
    index,
    set: setIndex,
    props: {
      role: 'slider',
      tabIndex: 0,
      'aria-label': `${label}. Arrow keys choose, Enter opens the calls behind it.`,
      'aria-valuemin': 0,
      'aria-valuemax': Math.max(0, count - 1),
      'aria-valuenow': at,
      'aria-valuetext': count === 0 ? 'nothing' : text(at),
      onKeyDown,
    },
  };
}
