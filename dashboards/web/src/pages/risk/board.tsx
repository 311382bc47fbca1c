// A column for each level that needs somebody, what is ok below them, and a card for each version of an app.
import { useId, useState } from 'preact/hooks';
import type { AppLevel, AppRisk, AppRisks } from '../../api/risk';
import { count, plural, ratio, shownValue } from '../../format';
import { APP_LEVELS, LEVEL_LOOKS, trendOf } from '../../model/levels';
import { drill, link } from '../../state/url';
import { useParams } from '../../ui/context';
import { Level, LevelLine } from '../../ui/level';
import { Time } from '../../ui/time';
import { AppTable, filtersOf } from './app-table';

/** Cards of a level before somebody asks for all. */
const SHOWN = 8;

export function AppBoard({ risks }: { risks: AppRisks }) {
  return (
    <>
      <div class="board">
        {APP_LEVELS.map((level) => (
          <Column
            key={level}
            level={level}
            total={risks.levels.find((one) => one.level === level)?.apps ?? 0}
            risks={risks.items.filter((risk) => risk.level === level)}
            range={risks}
          />
        ))}
      </div>
      <AppTable risks={risks} />
      {risks.truncated && (
        <p class="soft">
          Only the first {count(risks.items.length)}, the worst, are here; filters show others.
        </p>
      )}
    </>
  );
}

interface ColumnProps {
  level: AppLevel;
  total: number;
  risks: AppRisk[];
  range: AppRisks;
}

function Column({ level, total, risks, range }: ColumnProps) {
  const [all, setAll] = useState(false);
  const id = useId();
  const shown = all ? risks : risks.slice(0, SHOWN);
  return (
    <section class={`board-column board-${level}`} aria-labelledby={id}>
      <h3 id={id}>
        <Level level={level} /> <span class="soft">{plural(total, 'app version')}</span>
      </h3>
      {total === 0 ? (
        <p class="soft">none</p>
      ) : (
        <ul class="plain-list">
          {shown.map((risk) => (
            <Card key={Object.values(filtersOf(risk)).join(' ')} risk={risk} range={range} />
          ))}
        </ul>
      )}
      {shown.length < risks.length && (
        <button type="button" class="button" onClick={() => setAll(true)}>
          All {count(risks.length)} that are {LEVEL_LOOKS[level].text}
        </button>
      )}
    </section>
  );
}

function Card({ risk, range }: { risk: AppRisk; range: AppRisks }) {
  const params = useParams();
  const key = filtersOf(risk);
  const trend = trendOf(risk.trend, risk.level, range.from);
  return (
    <li class="card">
      <a href={link('/violations', params, key)}>
        {shownValue(risk.app_id)} <strong>{shownValue(risk.app_version)}</strong>
      </a>
      <span class="soft">
        iOS {shownValue(risk.os_major)}
        {risk.tenant_id !== 'default' && `, ${risk.tenant_id}`}
      </span>
      <p>{risk.reason}</p>
      {(risk.level !== 'ok' || risk.trend.length > 1) && (
        <LevelLine steps={risk.trend} from={range.from} to={range.to} />
      )}
      <span class={`delta delta-${trend.sense}`}>
        {trend.text}
        <span class="soft">
          {' · since '}
          <Time at={risk.since} />
        </span>
      </span>
      {risk.violations > 0 && (
        <a
          class="tile-note"
          href={drill(params, { ...key, from: 'now-3d', to: null, verdict: 'unreported' })}
        >
          {plural(risk.violations, 'violation')} in 3 days, {count(risk.confirmed)} confirmed in the App Store
          ({ratio(risk.violations / Math.max(1, risk.required))} of {count(risk.required)})
        </a>
      )}
    </li>
  );
}
