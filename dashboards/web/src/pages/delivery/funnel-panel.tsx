// From push to answer, for the pushes that a push service takes.
import { useQuery } from '../../api/query';
import type { Summary } from '../../api/types';
import { Funnel } from '../../charts/funnel';
import { question } from '../../state/url';
import { useParams } from '../../ui/context';
import { Panel } from '../../ui/panel';

/** A push over a socket has nobody to accept it, so it would skip a step. */
const BY_SERVICE = ['apns_voip', 'apns_alert', 'fcm'];

const STAGES = ['legs_sent', 'legs_accepted', 'legs_received', 'legs_reported', 'legs_answered'];

export function FunnelPanel() {
  const params = useParams();
  const channel = params.has('channel') ? params.getAll('channel') : BY_SERVICE;
  const query = useQuery<Summary>('/summary', question(params, { channel, measures: STAGES.join(',') }));
  return (
    <Panel
      title="From push to answer"
      says="Legs by how far they came; what stayed behind leads to those legs."
      measures={STAGES}
      how="Legs whose push went through a push service (APNs, FCM), unless a filter names other channels: a push over a socket has nobody to accept it."
      query={query}
      isEmpty={(data) => !data.groups[0]?.current.legs_sent}
      empty="No push was sent in this range. A wider range or fewer filters may show some."
    >
      {(data) => <Funnel measures={data.groups[0]?.current ?? {}} channel={channel} />}
    </Panel>
  );
}
