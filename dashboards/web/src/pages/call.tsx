// One call taken apart: what was decided and by which rule, the waterfall, every event.
import { useQuery } from '../api/query';
import type { Call, CallDetail, LegDetail } from '../api/records';
import { ms, shownValue } from '../format';
import { Diagnoses, Outcome } from '../ui/badges';
import { useParams } from '../ui/context';
import { Facts } from '../ui/facts';
import { callHref, tenantOf } from '../ui/hrefs';
import { PageHead } from '../ui/page-head';
import { Section } from '../ui/section';
import { Failure, Loading } from '../ui/states';
import { Time } from '../ui/time';
import { WaterfallSection } from '../waterfall/view';
import { EventTable } from './call/event-table';
import { LegSection } from './call/leg-section';

export function CallPage({ id = '' }: { id?: string }) {
  const params = useParams();
  const query = useQuery<CallDetail>(`/calls/${encodeURIComponent(id)}`, tenantOf(params));
  return (
    <>
      <PageHead title={<span class="mono call-id">{id}</span>} says="One call, with all its legs" />
      {query.error && <Failure error={query.error} retry={query.retry} over={query.data !== null} />}
      {query.data === null ? (
        query.error === null && <Loading what="the call" />
      ) : (
        <CallStory detail={query.data} />
      )}
    </>
  );
}

function CallStory({ detail }: { detail: CallDetail }) {
  return (
    <div class="panels panels-one">
      <OtherTenants detail={detail} />
      <CallFacts call={detail.call} judgedAt={detail.judged_at} />
      {[...detail.legs].sort(calleesFirst).map((leg) => (
        <LegSection key={leg.device_id} leg={leg} />
      ))}
      {detail.legs.length === 0 && (
        <Section title="Legs">
          <p class="soft">
            No device took part: no push was sent, and no device said anything about this call.
          </p>
        </Section>
      )}
      <WaterfallSection detail={detail} />
      <EventTable events={detail.events} />
    </div>
  );
}

/** The devices that were called, those that violate before the others, then the caller’s own. */
function calleesFirst(a: LegDetail, b: LegDetail): number {
  const rank = (leg: LegDetail) => (leg.role === 'caller' ? 2 : leg.verdict === 'unreported' ? 0 : 1);
  return rank(a) - rank(b);
}

function CallFacts({ call, judgedAt }: { call: Call; judgedAt: number }) {
  const end = call.ended_at ?? call.cancelled_at;
  return (
    <Section title="The call">
      <Facts
        facts={[
          { name: 'Outcome', value: <Outcome name={call.outcome} /> },
          { name: 'App', value: call.app_id },
          { name: 'Began', value: <Time at={call.started_at} withDay /> },
          {
            name: 'Answered after',
            value: ms(
              call.answered_at === null ? null : call.answered_at - (call.initiated_at ?? call.started_at),
            ),
          },
          { name: 'Whole length', value: ms(end === null ? null : end - call.started_at) },
          {
            name: 'End reason',
            value: call.end_reason === null ? '–' : call.end_reason.replaceAll('_', ' '),
          },
          {
            name: 'Legs',
            value: `${call.legs}${call.legs_violating > 0 ? `, ${call.legs_violating} violating` : ''}`,
          },
          { name: 'Judged as of', value: <Time at={judgedAt} /> },
          { name: 'Tenant', value: shownValue(call.tenant_id) },
        ]}
      />
      <Diagnoses codes={call.diagnoses} />
    </Section>
  );
}

function OtherTenants({ detail }: { detail: CallDetail }) {
  const others = detail.other_tenants;
  if (others.length === 0) return null;
  return (
    <p class="state-note">
      Other tenants have a call with this UUID:{' '}
      {others.map((tenant) => (
        <a key={tenant} href={callHref({ tenant_id: tenant, call_uuid: detail.call.call_uuid })}>
          {tenant}
        </a>
      ))}
    </p>
  );
}
