/**
 * Reads server-sent events: yields the `data` of each event, in order.
 * Frames may be cut anywhere (also within a character), lines may end in LF, CRLF or CR, comments are skipped.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export async function* readServerSentEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let buffer = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      buffer += done ? decoder.decode() : decoder.decode(value, { stream: true });
      const { events, rest } = splitEvents(buffer, done);
      buffer = rest;
      yield* events;
      if (done) return;
    }
  } finally {
    // Also reached when the consumer stops early: tells the server that nobody listens.
    await reader.cancel().catch(() => undefined);
  }
}

/** Takes the finished events off the front of the buffer. */
export function splitEvents(buffer: string, ended: boolean): { events: string[]; rest: string } {
  // A CR at the very end may be half of a CRLF: it waits for the next chunk.
  const held = !ended && buffer.endsWith('\r') ? '\r' : '';
  const text = buffer.slice(0, buffer.length - held.length).replaceAll(/\r\n?/g, '\n');
  const blocks = text.split('\n\n');
  const rest = ended ? '' : blocks.pop()! + held;
  return { events: blocks.map(eventData).filter((data) => data !== null), rest };
}

function eventData(block: string): string | null {
  const lines = block
    .split('\n')
    .filter((line) => line === 'data' || line.startsWith('data:'))
    .map((line) => line.slice(5).replace(/^ /, ''));
  return lines.length === 0 ? null : lines.join('\n');
}
