// Violations of the last seven days, which iOS may hold against the app.
import type { DeviceDetail } from '../../api/records';
import { Verdict } from '../../ui/badges';
import { callHref } from '../../ui/hrefs';
import { Section } from '../../ui/section';
import { Time } from '../../ui/time';

export function Strikes({ strikes, tenant }: { strikes: DeviceDetail['strikes']; tenant: string }) {
  return (
    <Section
      title="Strikes"
      says="Pushes of the last seven days that this device’s apps did not report as a call."
    >
      {strikes.length === 0 ? (
        <p class="soft">None in seven days.</p>
      ) : (
        <table class="grid">
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Call</th>
              <th scope="col">Verdict</th>
            </tr>
          </thead>
          <tbody>
            {strikes.map((strike) => (
              <tr key={`${strike.call_uuid}${strike.at}`}>
                <td class="nowrap">
                  <Time at={strike.at} />
                </td>
                <th scope="row">
                  <a class="mono" href={callHref({ tenant_id: tenant, call_uuid: strike.call_uuid })}>
                    {strike.call_uuid.slice(0, 8)}
                  </a>
                </th>
                <td>
                  <Verdict name={strike.verdict} evidence={strike.evidence} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}
