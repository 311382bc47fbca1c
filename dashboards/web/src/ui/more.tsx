// The way to the next page of a list.
import type { Pages } from '../api/pages';
import { Failure } from './states';

export function More<T>({ pages, what }: { pages: Pages<T>; what: string }) {
  if (pages.moreError !== null) return <Failure error={pages.moreError} retry={pages.more} />;
  if (!pages.hasMore) return null;
  return (
    <p class="more">
      <button type="button" class="button" onClick={pages.more} disabled={pages.loadingMore}>
        {pages.loadingMore ? 'Loading…' : `More ${what}`}
      </button>
    </p>
  );
}
