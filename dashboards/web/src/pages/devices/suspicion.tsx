// Whether iOS probably stopped waking the device, and why we think so.
import type { DeviceDetail } from '../../api/records';
import { Icon, type IconName } from '../../ui/icons';

const SAYS: Record<DeviceDetail['suspicion']['level'], [string, string, IconName]> = {
  none: ['fine', 'Nothing suggests that iOS has stopped waking this device.', 'check'],
  watch: ['watch', 'This device is worth watching.', 'bang'],
  suspected: ['bad', 'iOS has probably stopped waking this app on this device.', 'cross'],
};

export function Suspicion({ suspicion }: { suspicion: DeviceDetail['suspicion'] }) {
  const [level, text, icon] = SAYS[suspicion.level] ?? SAYS.none;
  return (
    <div class={`headline headline-${level}`}>
      <span class="headline-mark">
        <Icon name={icon} />
      </span>
      <div>
        <p class="headline-text">{text}</p>
        {suspicion.why !== '' && <p class="headline-note">{suspicion.why}</p>}
        <p class="headline-note">
          It is a suspicion: iOS says nothing, and Apple gives no number of failures. What others found to
          help: installing the app anew.
        </p>
      </div>
    </div>
  );
}
