// Server-sent events read from a fetch (EventSource can send no token). The parser is pure.
import { OfflineError, ProblemError, request } from './client';

export interface ServerEvent {
  event: string;
  data: string;
  id: string | null;
}

/** Takes text as it comes and gives the events that are complete. */
export function createParser(): (chunk: string) => ServerEvent[] {
  let rest = '';
  let id: string | null = null;
  return (chunk) => {
    rest += chunk.replace(/\r\n?/g, '\n');
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    const events: ServerEvent[] = [];
    for (const block of blocks) {
      const parsed = parseBlock(block);
      id = parsed.id ?? id;
      if (parsed.data !== null) events.push({ event: parsed.event, data: parsed.data, id });
    }
    return events;
  };
}

function parseBlock(block: string): { event: string; data: string | null; id: string | null } {
  let event = 'message';
  let id: string | null = null;
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
    else if (field === 'id') id = value;
  }
  return { event, data: data.length > 0 ? data.join('\n') : null, id };
}

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
