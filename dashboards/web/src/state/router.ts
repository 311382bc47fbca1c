// The address as state: one store, the history API, and plain links that don't reload the page.
import { useMemo } from 'preact/hooks';
import { createStore, useStore } from './store';

const read = () => window.location.pathname + window.location.search;
const address = createStore(read());

export interface Place {
  path: string;
  params: URLSearchParams;
}

export function usePlace(): Place {
  const text = useStore(address);
  return useMemo(() => {
    const [path = '/', search = ''] = text.split('?');
    return { path, params: new URLSearchParams(search) };
  }, [text]);
}

export function navigate(href: string, replace = false): void {
  if (href === address.get()) return;
  const samePage = href.split('?')[0] === address.get().split('?')[0];
  if (replace) window.history.replaceState(null, '', href);
  else window.history.pushState(null, '', href);
  address.set(read());
  if (!samePage) showFromTheTop();
}

/** Changes parameters of the page that is shown. */
export function navigateTo(params: URLSearchParams, replace = false): void {
  const text = params.toString();
  navigate(window.location.pathname + (text === '' ? '' : `?${text}`), replace);
}

function showFromTheTop(): void {
  window.scrollTo(0, 0);
  requestAnimationFrame(() => document.getElementById('page-title')?.focus({ preventScroll: true }));
}

export function startRouter(): void {
  window.addEventListener('popstate', () => address.set(read()));
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const anchor = (event.target as Element | null)?.closest('a');
    const href = anchor?.getAttribute('href');
    if (
      !anchor ||
      !href?.startsWith('/') ||
      href.startsWith('/api/v1') ||
      anchor.target !== '' ||
      anchor.hasAttribute('download')
    )
      return;
    event.preventDefault();
    navigate(href);
  });
}
