// The format of server-sent events. Pure.

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
    const text = rest + chunk;
    // A CR at the end may be half of a CR LF.
    const held = text.endsWith('\r') ? '\r' : '';
    const blocks = text
      .slice(0, text.length - held.length)
      .replace(/\r\n?/g, '\n')
      .split('\n\n');
    rest = (blocks.pop() ?? '') + held;
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
