// Is the pipeline itself well: lag, throughput, lateness, dead letters, sizes.
import { useMemo } from 'preact/hooks';
import { useQuery } from '../api/query';
import type { Pipeline } from '../api/records';
import type { Drawn } from '../charts/lines';
import { TimeChart } from '../charts/time-chart';
import { bytes, count, ms, ratio } from '../format';
import { question } from '../state/url';
import { Badge } from '../ui/badges';
import { useParams } from '../ui/context';
import { PageHead } from '../ui/page-head';
import { Panel } from '../ui/panel';
import { RangePicker } from '../ui/range-picker';
import { DeadLettersPanel } from './pipeline/dead-letters';
import { SlotTable } from './pipeline/slots';

const STATES = {
  fresh: ['good', 'check', 'up to date'],
  late: ['warn', 'clock', 'behind'],
  unknown: ['quiet', 'dots', 'unknown'],
} as const;

export function PipelinePage() {
  const params = useParams();
  const range = question(
    new URLSearchParams([...params].filter(([name]) => name === 'from' || name === 'to')),
  );
  const query = useQuery<Pipeline>('/pipeline', range);
  return (
    <>
      <PageHead title="Pipeline" says="Whether what the other pages show is complete, and up to date." />
      <section class="filter-bar" aria-label="Range">
        <div class="filter-row">
          <RangePicker />
        </div>
      </section>
      <div class="panels">
        <Panel
          title="Slots"
          says="One line for each slot (a partition index of the call topics) and the linker that owns it."
          how="Log clock: everything logged before it has been judged. Lag: records that are not read yet. A slot that is behind makes verdicts wait; it accuses nobody."
          query={query}
          wide
          isEmpty={(data) => data.slots.length === 0}
          empty="No linker has written a slot yet. Is `ringtrace link` or `ringtrace up` running?"
        >
          {(data) => (
            <>
              <Freshness data={data} />
              <SlotTable slots={data.slots} />
            </>
          )}
        </Panel>
        <ThroughputPanel query={query} />
        <LatePanel query={query} />
        <DeadLettersPanel />
        <Panel
          title="Stored"
          says="Rows, size and parts of each table in ClickHouse."
          how="Active parts of system.parts. Rows include superseded images of a leg that a merge has not removed yet."
          query={query}
          wide
          isEmpty={(data) => data.rows.length === 0}
          empty="ClickHouse says nothing of its tables."
        >
          {(data) => <Stored rows={data.rows} />}
        </Panel>
      </div>
    </>
  );
}

type Asked = { query: ReturnType<typeof useQuery<Pipeline>> };

function Freshness({ data }: { data: Pipeline }) {
  const [tone, icon, text] = STATES[data.freshness.state];
  return (
    <p>
      <Badge tone={tone} icon={icon} text={text} /> The slowest slot is {ms(data.freshness.behind_ms)} behind
      the wall clock.
    </p>
  );
}

function ThroughputPanel({ query }: Asked) {
  const drawn = useMemo(
    () =>
      query.data &&
      one(
        query.data.throughput.times,
        query.data.throughput.bucket_ms,
        'events',
        query.data.throughput.events,
        'count',
      ),
    [query.data],
  );
  return (
    <Panel
      title="Throughput"
      says="Events stored in each interval, by log time."
      how="Rows of events and device_events by the time at which Kafka logged them."
      query={query}
      isEmpty={() => !drawn?.lines[0]?.values.some((value) => value)}
      empty="No event was logged in this range. Are producers writing to push-events and call-events?"
    >
      {() => drawn && <TimeChart title="Events stored" drawn={drawn} drills={false} />}
    </Panel>
  );
}

function LatePanel({ query }: Asked) {
  const drawn = useMemo(
    () =>
      query.data &&
      one(
        query.data.late.times,
        query.data.throughput.bucket_ms,
        'late share',
        query.data.late.shares,
        'ratio',
      ),
    [query.data],
  );
  return (
    <Panel
      title="Late events"
      says="Of all events, those that were logged long after they happened: offline devices, slow collectors, replays."
      how={`Events whose log time is more than ${ms(query.data?.late.threshold_ms)} after their corrected time ÷ all events.`}
      query={query}
      isEmpty={() => !drawn?.lines[0]?.values.some((value) => value !== null)}
      empty="No event was logged in this range."
    >
      {(data) =>
        drawn && (
          <>
            <p>
              {ratio(data.late.share)} came more than {ms(data.late.threshold_ms)} late.
            </p>
            <TimeChart title="Share of late events" drawn={drawn} drills={false} />
          </>
        )
      }
    </Panel>
  );
}

function one(
  times: number[],
  bucketMs: number,
  label: string,
  values: (number | null)[],
  unit: Drawn['unit'],
): Drawn {
  return { times, bucketMs, unit, lines: [{ label, measure: label, values, previous: false, key: {} }] };
}

function Stored({ rows }: { rows: Pipeline['rows'] }) {
  return (
    <table class="grid">
      <thead>
        <tr>
          <th scope="col">Table</th>
          <th scope="col" class="num">
            Rows
          </th>
          <th scope="col" class="num">
            Size
          </th>
          <th scope="col" class="num">
            Parts
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.table}>
            <th scope="row" class="mono">
              {row.table}
            </th>
            <td class="num">{count(row.rows)}</td>
            <td class="num">{bytes(row.bytes)}</td>
            <td class="num">{count(row.parts)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
