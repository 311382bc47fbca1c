// Whether iOS probably stopped waking the device, and why we think so.
import type { ComponentChildren } from 'preact';
import type { DeviceDetail } from '../../api/records';
import type { DeviceLevel, DeviceRisk } from '../../api/risk';
import { shownValue } from '../../format';
import { LEVEL_LOOKS } from '../../model/levels';
import { Icon, type IconName } from '../../ui/icons';
import { Level } from '../../ui/level';
import { Time } from '../../ui/time';

type Tone = 'fine' | 'watch' | 'bad';

const SAYS: Record<DeviceDetail['suspicion']['level'], [Tone, string, IconName]> = {
  none: ['fine', 'Nothing suggests that iOS has stopped waking this device.', 'check'],
  watch: ['watch', 'This device is worth watching.', 'bang'],
  suspected: ['bad', 'iOS has probably stopped waking this app on this device.', 'cross'],
};

const STORED: Record<DeviceLevel, [Tone, string]> = {
  ok: ['fine', 'Nothing speaks against this device any more.'],
  watch: ['watch', 'This device is worth watching.'],
  at_risk: ['watch', 'This device is at risk: iOS may stop waking the app.'],
  critical: ['bad', 'This device is critical: iOS is about to stop waking the app, if it has not.'],
  suspected: ['bad', 'iOS is suspected to have stopped waking this app on this device.'],
};

/** As the alerter judged each app on the device, the worst first. */
export function StoredRisk({ risks }: { risks: DeviceRisk[] }) {
  const level = risks[0]?.level ?? 'ok';
  const [tone, text] = STORED[level];
  return (
    <Headline tone={tone} text={text} icon={LEVEL_LOOKS[level].icon}>
      {risks.map((risk) => (
        <p key={risk.app_id} class="headline-note">
          <Level level={risk.level} /> {shownValue(risk.app_id)}, since <Time at={risk.since} />:{' '}
          {risk.reason}
        </p>
      ))}
    </Headline>
  );
}

/** From what is stored of the last days, where the alerter has not judged. */
export function Suspicion({ suspicion }: { suspicion: DeviceDetail['suspicion'] }) {
  const [tone, text, icon] = SAYS[suspicion.level] ?? SAYS.none;
  return (
    <Headline tone={tone} text={text} icon={icon}>
      {suspicion.why !== '' && <p class="headline-note">{suspicion.why}</p>}
    </Headline>
  );
}

interface HeadlineProps {
  tone: Tone;
  text: string;
  icon: IconName;
  children: ComponentChildren;
}

function Headline({ tone, text, icon, children }: HeadlineProps) {
  return (
    <div class={`headline headline-${tone}`}>
      <span class="headline-mark">
        <Icon name={icon} />
      </span>
      <div>
        <p class="headline-text">{text}</p>
        {children}
        <p class="headline-note">
          It is a suspicion: iOS says nothing, and Apple gives no number of failures. What others found to
          help: installing the app anew.
        </p>
      </div>
    </div>
  );
}
