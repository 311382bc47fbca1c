// The one way to the API: adds the token, tells problems from lost connections, and notes both.
import { connection, signIn, token } from '../state/session';
import type { Problem } from './types';

export const BASE = '/api/v1';

/** The API answered, and said no. */
export class ProblemError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.problem = problem;
  }
}

/** Nobody answered. */
export class OfflineError extends Error {
  constructor() {
    super('Ringtrace can’t be reached.');
  }
}

export async function request(
  path: string,
  signal: AbortSignal,
  headers: HeadersInit = {},
): Promise<Response> {
  const sent = token.get();
  const all = new Headers(headers);
  if (sent !== null) all.set('authorization', `Bearer ${sent}`);
  let response: Response;
  try {
    response = await fetch(BASE + path, { signal, headers: all, credentials: 'omit', cache: 'no-store' });
  } catch (cause) {
    if (signal.aborted) throw cause;
    if (connection.get().lostAt === null) connection.set({ lostAt: Date.now() });
    throw new OfflineError();
  }
  connection.set(connection.get().lostAt === null ? connection.get() : { lostAt: null });
  if (response.ok) return response;
  const problem = await readProblem(response);
  if (response.status === 401) {
    signIn.set({
      needed: true,
      why: sent === null ? null : (problem.detail ?? 'That token is not accepted.'),
    });
  }
  throw new ProblemError(problem);
}

export async function getJson<T>(path: string, signal: AbortSignal): Promise<T> {
  const response = await request(path, signal, { accept: 'application/json' });
  try {
    return (await response.json()) as T;
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new ProblemError(plainProblem(response.status, 'The answer broke off or is no JSON.'));
  }
}

async function readProblem(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Partial<Problem>;
    const known = plainProblem(response.status, null);
    return { ...known, ...body, retry_after_s: body.retry_after_s ?? retryAfter(response) };
  } catch {
    return { ...plainProblem(response.status, null), retry_after_s: retryAfter(response) };
  }
}

function plainProblem(status: number, detail: string | null): Problem {
  return { type: 'about:blank', title: `The API answered with status ${status}.`, status, detail };
}

function retryAfter(response: Response): number | null {
  const seconds = Number(response.headers.get('retry-after'));
  return Number.isFinite(seconds) && seconds > 0 ? seconds : null;
}
