// The figures of the whole, each against the same time a week ago.
import type { Query } from '../../api/query';
import type { Freshness, Num, Series, Summary } from '../../api/types';
import { ms, plural } from '../../format';
import { drill, link } from '../../state/url';
import { useParams } from '../../ui/context';
import { Failure, Loading } from '../../ui/states';
import { Tile } from '../../ui/tile';
import { Time } from '../../ui/time';

interface TilesProps {
  all: Query<Summary>;
  /** Asked apart: it is the slowest of the figures. */
  coverage: Query<Summary>;
  trends: Query<Series>;
}

export function Tiles({ all, coverage, trends }: TilesProps) {
  const params = useParams();
  if (all.data === null) {
    return all.error ? <Failure error={all.error} retry={all.retry} /> : <Loading what="figures" />;
  }
  const group = all.data.groups[0];
  const current = group?.current ?? {};
  const previous = group?.previous?.calls ? group.previous : null;
  const trend = (name: string): Num[] | undefined => trends.data?.groups[0]?.current[name];
  const shared = { current, previous };
  return (
    <>
      <section
        class={`tiles ${all.pending && all.stale ? 'is-old' : ''}`}
        aria-label="Figures"
        aria-busy={all.pending}
      >
        <Tile
          measure="calls"
          label="Calls"
          href={link('/calls', params)}
          trend={trend('calls')}
          note={plural(current.legs ?? 0, 'leg')}
          {...shared}
        />
        <Tile
          measure="violation_rate"
          label="Violation rate"
          href={link('/violations', params)}
          trend={trend('violation_rate')}
          note={plural(current.violations ?? 0, 'violation')}
          {...shared}
        />
        <Tile
          measure="answer_seizure_ratio"
          label="Answered, of reached"
          href={link('/answers', params)}
          trend={trend('answer_seizure_ratio')}
          {...shared}
        />
        <Tile
          measure="sent_to_received_p95"
          label="Push to device, p95"
          href={link('/delivery', params)}
          trend={trend('sent_to_received_p95')}
          {...shared}
        />
        <Tile
          measure="received_within_10s"
          label="Received within 10 s"
          href={drill(params, { stage_reached: 'accepted', slower_than: 'sent_to_received:10000' })}
          trend={trend('received_within_10s')}
          {...shared}
        />
        <Tile
          measure="telemetry_coverage"
          label="Telemetry coverage"
          href={link('/devices', params)}
          current={coverage.data?.groups[0]?.current ?? {}}
          previous={previous && (coverage.data?.groups[0]?.previous ?? null)}
          waits={coverage.data === null && coverage.pending}
        />
        <FreshnessTile freshness={all.data.freshness} />
      </section>
      {previous === null && (
        <p class="soft">
          Nothing is stored of the same time a week ago, so there is nothing to compare with yet.
        </p>
      )}
    </>
  );
}

const STATES: Record<Freshness['state'], string> = {
  fresh: 'up to date',
  late: 'behind',
  unknown: 'unknown',
};

function FreshnessTile({ freshness }: { freshness: Freshness }) {
  const params = useParams();
  return (
    <div class="tile">
      <a class="tile-link" href={link('/pipeline', params)}>
        <span class="tile-label">Pipeline</span>
        <span class="tile-value">
          {freshness.behind_ms === null ? STATES.unknown : ms(freshness.behind_ms).split(' ')[0]}
        </span>
      </a>
      <span
        class={`delta delta-${freshness.state === 'fresh' ? 'better' : freshness.state === 'late' ? 'worse' : 'neutral'}`}
      >
        {STATES[freshness.state]}
      </span>
      <span class="tile-note">
        log clock <Time at={freshness.log_clock} />
      </span>
      <details class="how">
        <summary>
          How <span class="hidden">the pipeline’s freshness is computed</span>
        </summary>
        <p>
          How far the slowest slot’s log clock is behind the wall clock. Everything logged before the log
          clock is in these figures.
        </p>
      </details>
    </div>
  );
}
