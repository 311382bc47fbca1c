// The heading of a page; navigation moves the focus here.
import type { ComponentChildren } from 'preact';

interface PageHeadProps {
  title: ComponentChildren;
  says?: ComponentChildren;
  actions?: ComponentChildren;
}

export function PageHead({ title, says, actions }: PageHeadProps) {
  return (
    <header class="page-head">
      <div>
        <h1 id="page-title" tabIndex={-1}>
          {title}
        </h1>
        {says && <p class="says">{says}</p>}
      </div>
      {actions && <div class="panel-actions">{actions}</div>}
    </header>
  );
}
