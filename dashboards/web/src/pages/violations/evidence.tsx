// How many, and how sure.
import type { Query } from '../../api/query';
import type { Summary } from '../../api/types';
import { count, ratio } from '../../format';
import { delta } from '../../model/delta';
import { wilson } from '../../model/wilson';
import { drill } from '../../state/url';
import { useParams, useWords } from '../../ui/context';
import { Panel } from '../../ui/panel';
import { DeltaText } from '../../ui/tile';

export const EVIDENCE_MEASURES = ['violation_rate', 'violations', 'violations_confirmed', 'required_reports'];

export function Evidence({ query }: { query: Query<Summary> }) {
  const params = useParams();
  const words = useWords();
  return (
    <Panel
      title="Evidence"
      says="How many violations there are, and how sure each is."
      measures={EVIDENCE_MEASURES}
      how="Confirmed: iOS’s own crash reason or code, or the handler returned without a report. Probable: the push was received, and neither a report nor a sign of a call came in time; a late report withdraws it."
      query={query}
      wide
      isEmpty={(data) => !data.groups[0]?.current.legs}
      empty="No legs in this range, so there is nothing to judge."
    >
      {(data) => {
        const group = data.groups[0];
        const current = group?.current ?? {};
        const violations = current.violations ?? 0;
        const confirmed = current.violations_confirmed ?? 0;
        const required = current.required_reports ?? 0;
        const interval = wilson(violations, required);
        const all = drill(params, { verdict: 'unreported' });
        return (
          <dl class="facts">
            <div>
              <dt>Violation rate</dt>
              <dd class="big">{ratio(current.violation_rate)}</dd>
              <dd>
                <DeltaText
                  change={delta(
                    words.measure('violation_rate'),
                    current.violation_rate,
                    group?.previous?.violation_rate,
                  )}
                />
              </dd>
              {interval && (
                <dd class="soft">
                  95 % interval {ratio(interval.low)} to {ratio(interval.high)}, of {count(required)} required
                  reports
                </dd>
              )}
            </div>
            <div>
              <dt>Confirmed</dt>
              <dd class="big">{count(confirmed)}</dd>
              <dd class="soft">proof from iOS or from the app’s own handler</dd>
            </div>
            <div>
              <dt>Probable</dt>
              <dd class="big">{count(Math.max(0, violations - confirmed))}</dd>
              <dd class="soft">nothing came; a late report withdraws it</dd>
            </div>
            <div>
              <dd>
                <a href={all}>All {count(violations)} legs</a>
              </dd>
            </div>
          </dl>
        );
      }}
    </Panel>
  );
}
