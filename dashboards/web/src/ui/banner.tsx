// Says that the connection is lost, and since when; what is on the page stays.
import { connection } from '../state/session';
import { useStore } from '../state/store';
import { Icon } from './icons';
import { Time } from './time';

export function ConnectionBanner() {
  const { lostAt } = useStore(connection);
  return (
    <div role="status" class="banner-place">
      {lostAt !== null && (
        <p class="banner">
          <Icon name="bang" />
          <span>
            No connection to Ringtrace since <Time at={lostAt} />. What you see is as of then; it goes on by
            itself when the connection is back.
          </span>
        </p>
      )}
    </div>
  );
}
