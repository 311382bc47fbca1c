// What a panel shows while it has nothing to show.
import type { ComponentChildren } from 'preact';
import { OfflineError, ProblemError } from '../api/client';

export function Loading({ what }: { what: string }) {
  return (
    <div class="state" role="status">
      <span class="spinner" aria-hidden="true" />
      <span>Loading {what}…</span>
    </div>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <div class="state state-empty">{children}</div>;
}

/** The problem in the API's own words, and a way on. `over` is the case where an old picture stays beneath. */
export function Failure({ error, retry, over = false }: { error: Error; retry: () => void; over?: boolean }) {
  return (
    <div class={over ? 'state-note' : 'state state-error'} role="alert">
      <div>
        <strong>{titleOf(error)}</strong> {detailOf(error)}
        {over && ' What you see is the last answer.'}
      </div>
      <button type="button" class="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}

function titleOf(error: Error): string {
  if (error instanceof OfflineError) return 'No connection.';
  if (!(error instanceof ProblemError)) return 'Something went wrong here.';
  const { title } = error.problem;
  return /[.!?]$/.test(title) ? title : `${title}.`;
}

function detailOf(error: Error): string {
  if (!(error instanceof ProblemError)) return error.message;
  const { detail, parameter, limit, retry_after_s } = error.problem;
  const parts = [detail ?? ''];
  if (parameter && !detail?.includes(parameter)) parts.push(`Parameter: ${parameter}.`);
  if (limit !== null && limit !== undefined && !detail?.includes(String(limit)))
    parts.push(`Limit: ${limit}.`);
  if (retry_after_s) parts.push(`Trying again in ${retry_after_s} s.`);
  return parts.join(' ').trim();
}
