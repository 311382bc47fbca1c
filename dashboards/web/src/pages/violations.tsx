// Pushes without a report: which versions, how sure, since when, and what to do.
import { useQuery } from '../api/query';
import type { Summary } from '../api/types';
import { question } from '../state/url';
import { useParams } from '../ui/context';
import { FilterBar } from '../ui/filter-bar';
import { PageHead } from '../ui/page-head';
import { SeriesPanel } from '../ui/series-panel';
import { DiagnosesPanel } from './violations/diagnoses';
import { EVIDENCE_MEASURES, Evidence } from './violations/evidence';
import { NewestExamples } from './violations/examples';
import { MatrixPanel } from './violations/matrix-panel';
import { VERDICT_MEASURES, VerdictsPanel } from './violations/verdicts';

const MEASURES = ['legs', ...EVIDENCE_MEASURES, ...VERDICT_MEASURES].join(',');

export function ViolationsPage() {
  const params = useParams();
  const all = useQuery<Summary>('/summary', question(params, { compare: '7d', measures: MEASURES }));
  return (
    <>
      <PageHead
        title="Violations"
        says="VoIP pushes after which the app reported no call. iOS kills the app for it, and stops waking it when it goes on."
      />
      <FilterBar />
      <div class="panels">
        <Evidence query={all} />
        <SeriesPanel
          title="Violations over time"
          says="Legs with the verdict unreported, beside the same time a week ago."
          measures={['violations']}
          unit="count"
          compare
          empty="No violation in this range: every push that needed a report got one, or is still waiting for it."
        />
        <VerdictsPanel query={all} />
        <MatrixPanel />
        <NewestExamples />
        <DiagnosesPanel />
      </div>
    </>
  );
}
