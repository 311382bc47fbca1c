// A frame like a panel's, for parts of one answer.
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

interface SectionProps {
  title: ComponentChildren;
  says?: ComponentChildren;
  wide?: boolean;
  actions?: ComponentChildren;
  children: ComponentChildren;
}

export function Section({ title, says, wide = false, actions, children }: SectionProps) {
  const id = useId();
  return (
    <section class={`panel ${wide ? 'panel-wide' : ''}`} aria-labelledby={id}>
      <header class="panel-head">
        <div>
          <h2 id={id}>{title}</h2>
          {says && <p class="says">{says}</p>}
        </div>
        {actions && <div class="panel-actions">{actions}</div>}
      </header>
      <div class="panel-body">{children}</div>
    </section>
  );
}
