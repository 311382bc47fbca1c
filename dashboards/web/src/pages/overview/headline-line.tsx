// The one line in words.
import type { Query } from '../../api/query';
import type { AppRisks } from '../../api/risk';
import type { Summary } from '../../api/types';
import { headline, type Headline } from '../../model/risk';
import { presetWords } from '../../state/range';
import { rangeOf } from '../../state/url';
import { useParams } from '../../ui/context';
import { Icon, type IconName } from '../../ui/icons';
import { Failure } from '../../ui/states';

const ICONS: Record<Headline['level'], IconName> = {
  fine: 'check',
  watch: 'bang',
  bad: 'cross',
  unknown: 'dots',
};

interface HeadlineLineProps {
  all: Query<Summary>;
  apps: Query<Summary>;
  /** Nothing waits for it: without it the figures speak for themselves. */
  stored: Query<AppRisks>;
}

export function HeadlineLine({ all, apps, stored }: HeadlineLineProps) {
  const { from, to } = rangeOf(useParams());
  const failed = [all, apps].find((query) => query.error !== null && query.data === null);
  if (failed?.error) return <Failure error={failed.error} retry={failed.retry} />;
  if (all.data === null || apps.data === null) {
    return (
      <p class="headline headline-unknown" role="status">
        <span class="spinner" aria-hidden="true" /> Looking…
      </p>
    );
  }
  const range = presetWords(from, to) ?? 'this range';
  const judged = stored.data?.items ?? [];
  const said = headline(apps.data.groups, judged, all.data.groups[0] ?? null, all.data.freshness, range);
  return (
    <div class={`headline headline-${said.level}`} role="status">
      <span class="headline-mark">
        <Icon name={ICONS[said.level]} />
      </span>
      <div>
        <p class="headline-text">{said.text}</p>
        {said.notes.map((note) => (
          <p key={note} class="headline-note">
            {note}
          </p>
        ))}
      </div>
    </div>
  );
}
