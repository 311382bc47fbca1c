// What the whole application shares: the token, the connection, the beat that refreshes panels, the theme.
import { createStore } from './store';

const TOKEN = 'ringtrace.token';
const THEME = 'ringtrace.theme';

export type Theme = 'system' | 'light' | 'dark';

export interface Connection {
  lostAt: number | null;
}

export const token = createStore<string | null>(sessionStorage.getItem(TOKEN));
/** Set when the API has asked for a token, or refused the one that it got. */
export const signIn = createStore<{ needed: boolean; why: string | null }>({ needed: false, why: null });
export const connection = createStore<Connection>({ lostAt: null });
/** Grows by one whenever panels should ask again. */
export const beat = createStore(0);
export const theme = createStore<Theme>(readTheme());

export function setToken(value: string | null): void {
  if (value === null) sessionStorage.removeItem(TOKEN);
  else sessionStorage.setItem(TOKEN, value);
  token.set(value);
  signIn.set({ needed: false, why: null });
  beat.set(beat.get() + 1);
}

export function setTheme(value: Theme): void {
  try {
    localStorage.setItem(THEME, value);
  } catch {
    // A browser that stores nothing still shows the theme until the page is closed.
  }
  theme.set(value);
  applyTheme();
}

/** Puts the theme where the style sheet looks for it. */
export function applyTheme(): void {
  const dark = window.matchMedia('(prefers-color-scheme: dark)').matches;
  const chosen = theme.get();
  document.documentElement.dataset.theme = chosen === 'system' ? (dark ? 'dark' : 'light') : chosen;
  shown.set(document.documentElement.dataset.theme);
}

/** The theme that is on the screen; charts draw themselves again when it changes. */
export const shown = createStore<string | undefined>(undefined);

function readTheme(): Theme {
  try {
    const stored = localStorage.getItem(THEME);
    return stored === 'light' || stored === 'dark' ? stored : 'system';
  } catch {
    return 'system';
  }
}
