// Verdicts, outcomes and diagnoses: a shape, a colour and the word.
import { words } from '../api/definitions';
import { useWords } from './context';
import { Icon, type IconName } from './icons';

export type Tone = 'good' | 'bad' | 'warn' | 'info' | 'quiet';

const VERDICTS: Record<string, [Tone, IconName]> = {
  reported: ['good', 'check'],
  reported_late: ['warn', 'clock'],
  filtered: ['info', 'half'],
  report_error: ['warn', 'bang'],
  unreported: ['bad', 'cross'],
  exempt: ['quiet', 'dash'],
  no_receipt: ['info', 'ring'],
  rejected: ['warn', 'slash'],
  pending: ['quiet', 'dots'],
  not_applicable: ['quiet', 'dash'],
};

const OUTCOMES: Record<string, [Tone, IconName]> = {
  answered: ['good', 'phone'],
  answered_elsewhere: ['good', 'check'],
  declined: ['info', 'cross'],
  declined_elsewhere: ['info', 'cross'],
  unanswered: ['info', 'ring'],
  cancelled: ['quiet', 'dash'],
  busy: ['info', 'half'],
  filtered: ['info', 'half'],
  failed: ['warn', 'bang'],
  unreachable: ['warn', 'slash'],
  in_progress: ['quiet', 'dots'],
  unknown: ['quiet', 'dash'],
};

export function Verdict({ name, evidence = null }: { name: string; evidence?: string | null }) {
  const [tone, icon] = VERDICTS[name] ?? ['quiet', 'dash'];
  const title = useWords().verdict(name) ?? undefined;
  const text = evidence === null || evidence === '' ? words(name) : `${words(name)}, ${evidence}`;
  return <Badge tone={tone} icon={icon} text={text} title={title} />;
}

export function Outcome({ name }: { name: string }) {
  const [tone, icon] = OUTCOMES[name] ?? ['quiet', 'dash'];
  const title = useWords().outcome(name) ?? undefined;
  return <Badge tone={tone} icon={icon} text={words(name)} title={title} />;
}

interface BadgeProps {
  tone: Tone;
  icon: IconName;
  text: string;
  title?: string | undefined;
}

export function Badge({ tone, icon, text, title }: BadgeProps) {
  return (
    <span class={`badge badge-${tone}`} title={title}>
      <Icon name={icon} />
      {text}
    </span>
  );
}

export function Diagnoses({ codes }: { codes: string[] }) {
  const known = useWords().all?.diagnoses;
  if (codes.length === 0) return null;
  return (
    <span class="diagnoses">
      {codes.map((code) => (
        <span key={code} class="code-tag" title={known?.find((one) => one.code === code)?.cause}>
          {words(code)}
        </span>
      ))}
    </span>
  );
}
