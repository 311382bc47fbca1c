// Server-sent events read from a fetch: EventSource can send no token.
import { OfflineError, ProblemError, request } from './client';
import { createParser, type ServerEvent } from './sse-parser';

export type StreamState = 'connecting' | 'open' | 'lost' | Error;

/** Follows a stream until aborted, and comes back after a loss with the last id that it saw. */
export async function follow(
  path: string,
  signal: AbortSignal,
  onEvent: (event: ServerEvent) => void,
  onState: (state: StreamState) => void,
): Promise<void> {
  let lastId: string | null = null;
  let wait = 1_000;
  while (!signal.aborted) {
    try {
      const headers: Record<string, string> = { accept: 'text/event-stream' };
      if (lastId !== null) headers['last-event-id'] = lastId;
      const response = await request(path, signal, headers);
      onState('open');
      wait = 1_000;
      await readAll(response, (event) => {
        lastId = event.id ?? lastId;
        onEvent(event);
      });
      onState('lost');
    } catch (error) {
      if (signal.aborted) return;
      onState(error instanceof OfflineError ? 'lost' : error instanceof ProblemError ? error : 'lost');
    }
    await pause(wait, signal);
    wait = Math.min(wait * 2, 15_000);
  }
}

async function readAll(response: Response, onEvent: (event: ServerEvent) => void): Promise<void> {
  if (response.body === null) return;
  const parse = createParser();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const event of parse(value)) onEvent(event);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
