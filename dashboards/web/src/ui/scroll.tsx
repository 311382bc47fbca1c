// A region that scrolls by itself, so that a wide table does not widen the page. Reachable by keyboard.
import type { ComponentChildren } from 'preact';

interface ScrollProps {
  label: string;
  height?: 'short' | 'tall';
  children: ComponentChildren;
}

export function Scroll({ label, height, children }: ScrollProps) {
  const size = height ? `scroll scroll-${height}` : 'scroll';
  const name = `${label}: table`;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls with the arrow keys
    <section class={size} tabIndex={0} aria-label={name}>
      {children}
    </section>
  );
}
