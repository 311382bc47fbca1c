// A list that grows page by page. The first page follows the beat; what was loaded after it stays as it was.
import { useEffect, useRef, useState } from 'preact/hooks';
import { getJson } from './client';
import { type Query, useQuery } from './query';
import type { Page } from './records';

export interface Pages<T> extends Query<T[]> {
  hasMore: boolean;
  loadingMore: boolean;
  moreError: Error | null;
  more: () => void;
}

interface Rest<T> {
  of: string;
  items: T[];
  cursor: string | null;
}

export function usePages<T>(path: string, params: URLSearchParams): Pages<T> {
  const url = `${path}?${params}`;
  const [rest, setRest] = useState<Rest<T> | null>(null);
  const [loadingMore, setLoading] = useState(false);
  const [moreError, setError] = useState<Error | null>(null);
  const abort = useRef<AbortController | null>(null);
  const mine = rest?.of === url ? rest : null;
  // Once further pages are shown, the first stands still: rows must not move under a reader.
  const first = useQuery<Page<T>>(path, params, mine === null);

  // Another list ends what this one was loading
  useEffect(() => () => abort.current?.abort(), [url]);

  const cursor = mine === null ? (first.data?.next_cursor ?? null) : mine.cursor;
  const more = () => {
    if (cursor === null || loadingMore) return;
    const control = new AbortController();
    abort.current = control;
    setLoading(true);
    setError(null);
    const next = new URLSearchParams(params);
    next.set('cursor', cursor);
    getJson<Page<T>>(`${path}?${next}`, control.signal)
      .then((page) =>
        setRest({ of: url, items: [...(mine?.items ?? []), ...page.items], cursor: page.next_cursor }),
      )
      .catch((error: Error) => !control.signal.aborted && setError(error))
      .finally(() => setLoading(false));
  };
  return {
    ...first,
    data: first.data === null ? null : [...first.data.items, ...(mine?.items ?? [])],
    hasMore: cursor !== null,
    loadingMore,
    moreError,
    more,
  };
}
