// The way between pages (range and filters go along), and the switch between light and dark.
import { useEffect, useState } from 'preact/hooks';
import { useQuery } from '../api/query';
import type { Alerts } from '../api/risk';
import { count } from '../format';
import type { PageEntry } from '../pages';
import { setTheme, type Theme, theme } from '../state/session';
import { useStore } from '../state/store';
import { link } from '../state/url';
import { useParams } from './context';
import { Icon, type IconName } from './icons';

const NO_RANGE = new Set(['/api']);

export function Navigation({ pages, path }: { pages: PageEntry[]; path: string }) {
  const params = useParams();
  const [open, setOpen] = useState(false);
  const firing = useQuery<Alerts>('/alerts').data?.firing ?? 0;
  // A new page closes the menu
  useEffect(() => setOpen(false), [path]);
  return (
    <header class="top">
      <a class="brand" href={link('/', params)}>
        <img src={new URL('../icon.svg', import.meta.url).href} alt="" width="24" height="24" />
        Ringtrace
      </a>
      <button
        type="button"
        class="button menu-button"
        aria-expanded={open}
        aria-controls="nav"
        onClick={() => setOpen(!open)}
      >
        <Icon name={open ? 'close' : 'menu'} /> Menu
      </button>
      <nav id="nav" class={open ? 'nav is-open' : 'nav'} aria-label="Pages">
        {pages.map((page) => (
          <a
            key={page.path}
            href={NO_RANGE.has(page.path) ? page.path : link(page.path, params)}
            aria-current={isHere(page.path, path) ? 'page' : undefined}
          >
            {page.title}
            {page.path === '/alerts' && firing > 0 && (
              <span class="nav-count">
                {count(firing)}
                <span class="hidden"> firing</span>
              </span>
            )}
          </a>
        ))}
      </nav>
      <ThemeSwitch />
    </header>
  );
}

function isHere(page: string, path: string): boolean {
  return page === '/' ? path === '/' : path === page || path.startsWith(`${page}/`);
}

const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };
const ICONS: Record<Theme, IconName> = { system: 'auto', light: 'sun', dark: 'moon' };
const NAMES: Record<Theme, string> = { system: 'as the system', light: 'light', dark: 'dark' };

function ThemeSwitch() {
  const chosen = useStore(theme);
  return (
    <button
      type="button"
      class="button button-quiet theme-switch"
      onClick={() => setTheme(NEXT[chosen])}
      aria-label={`Colours: ${NAMES[chosen]}. Change to ${NAMES[NEXT[chosen]]}`}
      title={`Colours: ${NAMES[chosen]}`}
    >
      <Icon name={ICONS[chosen]} />
    </button>
  );
}
