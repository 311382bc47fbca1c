// Legs as they happen.
import { Badge } from '../ui/badges';
import { FilterBar } from '../ui/filter-bar';
import { Icon } from '../ui/icons';
import { LegTable } from '../ui/leg-table';
import { PageHead } from '../ui/page-head';
import { Section } from '../ui/section';
import { count, plural } from '../format';
import { type Live, useLive } from './live-stream';

export function LivePage() {
  const live = useLive();
  return (
    <>
      <PageHead
        title="Live"
        says="Each change of a leg, newest first, as the linker writes it."
        actions={
          <button type="button" class="button" aria-pressed={live.paused} onClick={live.pause}>
            <Icon name={live.paused ? 'play' : 'pause'} /> {live.paused ? 'Go on' : 'Pause'}
          </button>
        }
      />
      <FilterBar ranged={false} />
      <Section title="Legs" says={<State live={live} />} wide>
        {live.legs.length === 0 ? (
          <p class="soft">Nothing has changed yet. With filters, only legs that fit are shown.</p>
        ) : (
          <LegTable legs={live.legs} caption="Legs as they change" />
        )}
      </Section>
    </>
  );
}

function State({ live }: { live: Live }) {
  const more = live.waiting > 0 ? ` ${plural(live.waiting, 'change')} since the pause.` : '';
  return (
    <span class="live-state">
      {live.state === 'open' ? (
        <Badge tone="good" icon="check" text="connected" />
      ) : live.state instanceof Error ? (
        <Badge tone="warn" icon="bang" text={live.state.message} />
      ) : (
        <Badge
          tone="warn"
          icon="dots"
          text={live.state === 'lost' ? 'connection lost, trying again' : 'connecting'}
        />
      )}{' '}
      {plural(live.seen, 'change')} seen
      {live.skipped > 0 && `, ${count(live.skipped)} left out because they came too fast`}.{more}
    </span>
  );
}
