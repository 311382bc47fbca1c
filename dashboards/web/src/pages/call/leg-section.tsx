// One leg: its verdict with the rule line that decided it, what to do, its latencies and its dimensions.
import { words } from '../../api/definitions';
import type { LegDetail } from '../../api/records';
import { ms } from '../../format';
import { AdviceText } from '../../ui/advice';
import { Outcome, Verdict } from '../../ui/badges';
import { type Fact, Facts } from '../../ui/facts';
import { deviceHref } from '../../ui/hrefs';
import { Section } from '../../ui/section';
import { Time } from '../../ui/time';

const LATENCIES = [
  ['sent_to_accepted_ms', 'Sent → accepted'],
  ['accepted_to_received_ms', 'Accepted → received'],
  ['sent_to_received_ms', 'Sent → received'],
  ['received_to_reported_ms', 'Received → reported'],
  ['initiated_to_reported_ms', 'Post-dial delay'],
  ['reported_to_answered_ms', 'Ring time'],
  ['answered_to_audio_ms', 'Answered → audio'],
  ['talk_ms', 'Talk'],
] as const;

export function LegSection({ leg }: { leg: LegDetail }) {
  const title = (
    <>
      Leg on <a href={deviceHref(leg)}>{leg.device_id}</a>
    </>
  );
  return (
    <Section title={title} says={leg.role === 'caller' ? 'The caller’s own device.' : undefined}>
      <div class="verdict-row">
        <Verdict name={leg.verdict} evidence={leg.evidence} />
        <Outcome name={leg.outcome} />
      </div>
      <p class="decision">
        <span class="decision-line">Rule {leg.decision.line}</span> {leg.decision.reason}
        {leg.decision.until !== null && (
          <>
            {' '}
            Without a further event this changes at <Time at={leg.decision.until} />.
          </>
        )}
      </p>
      {leg.advice.map((advice) => (
        <div key={advice.diagnosis} class="advice-card">
          <h3>{words(advice.diagnosis)}</h3>
          <AdviceText {...advice} />
        </div>
      ))}
      <div class="two">
        <div>
          <h3>Latencies</h3>
          <Latencies leg={leg} />
        </div>
        <div>
          <h3>Dimensions</h3>
          <Facts facts={dimensions(leg)} />
        </div>
      </div>
    </Section>
  );
}

function Latencies({ leg }: { leg: LegDetail }) {
  const known = LATENCIES.filter(([name]) => leg[name] !== null);
  if (known.length === 0) return <p class="soft">None: no step of this leg has both its ends.</p>;
  return <Facts facts={known.map(([name, label]) => ({ name: label, value: ms(leg[name]) }))} />;
}

function dimensions(leg: LegDetail): Fact[] {
  const all: [string, string | number | null][] = [
    ['App version', leg.app_version],
    ['Platform', leg.platform],
    ['OS version', leg.os_version],
    ['Model', leg.device_model],
    ['Country', leg.country],
    ['Carrier', leg.carrier],
    ['Network', leg.network],
    ['Build channel', leg.build_channel],
    ['Push channel', leg.channel],
    ['Environment', leg.environment],
    ['App state', leg.app_state],
    ['Call screen', leg.call_ui],
    ['Push attempts', leg.push_attempts],
    ['Rejected with', leg.push_reject_reason],
    ['End reason', leg.end_reason],
  ];
  return all
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => ({ name, value: String(value) }));
}
