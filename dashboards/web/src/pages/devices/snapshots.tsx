// What the device last said of itself: tokens, permissions, call directory.
import type { DeviceDetail, Snapshot } from '../../api/records';
import { Badge } from '../../ui/badges';
import { attributeFacts, attributeText, Facts } from '../../ui/facts';
import { Section } from '../../ui/section';
import { Time } from '../../ui/time';

interface SnapshotSectionProps {
  title: string;
  says: string;
  snapshot: Snapshot | null;
  empty: string;
}

export function SnapshotSection({ title, says, snapshot, empty }: SnapshotSectionProps) {
  return (
    <Section title={title} says={says}>
      {snapshot === null ? (
        <p class="soft">{empty}</p>
      ) : (
        <>
          <p class="soft">
            As of <Time at={snapshot.at} />
          </p>
          <Facts facts={attributeFacts(snapshot.attributes)} />
        </>
      )}
    </Section>
  );
}

export function Tokens({ tokens }: { tokens: DeviceDetail['tokens'] }) {
  return (
    <Section
      title="Push tokens"
      says="When the device’s tokens changed; the tokens themselves are stored hashed."
    >
      {tokens.length === 0 ? (
        <p class="soft">No token.updated or token.invalidated came for this device.</p>
      ) : (
        <ul class="plain-list">
          {tokens.map((token) => (
            <li key={`${token.at}${token.kind}`}>
              <Badge
                tone={token.kind === 'updated' ? 'good' : 'warn'}
                icon={token.kind === 'updated' ? 'check' : 'slash'}
                text={token.kind}
              />{' '}
              <Time at={token.at} />
              <span class="soft attributes"> {briefly(token.attributes)}</span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function briefly(attributes: Record<string, unknown>): string {
  return Object.entries(attributes)
    .filter(([name]) => !name.endsWith('token'))
    .map(([name, value]) => `${name} ${attributeText(value)}`)
    .join(', ');
}
