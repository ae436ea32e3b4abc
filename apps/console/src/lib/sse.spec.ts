import { describe, expect, it } from 'vitest';
import { readServerSentEvents, splitEvents } from './sse.js';

const stream = (chunks: Uint8Array[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });

async function read(chunks: Uint8Array[]): Promise<string[]> {
  const events: string[] = [];
  for await (const event of readServerSentEvents(stream(chunks))) events.push(event);
  return events;
}

describe('readServerSentEvents', () => {
  it('gives the same events wherever the bytes are cut', async () => {
    const bytes = new TextEncoder().encode(
      ': hello\n\ndata: {"a":"grün 🌱"}\r\n\r\nevent: x\ndata: one\ndata: two\n\n',
    );
    const whole = await read([bytes]);
    expect(whole).toEqual(['{"a":"grün 🌱"}', 'one\ntwo']);
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(await read([bytes.slice(0, cut), bytes.slice(cut)])).toEqual(whole);
    }
    expect(await read(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  it('gives an event that the connection cut off before its blank line', async () => {
    expect(await read([new TextEncoder().encode('data: a\n\ndata: b')])).toEqual(['a', 'b']);
  });

  it('cancels the body when the reader stops early', async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('data: x\n\n')),
      cancel: () => void (cancelled = true),
    });
    for await (const event of readServerSentEvents(body)) {
      expect(event).toBe('x');
      break;
    }
    expect(cancelled).toBe(true);
  });
});

describe('splitEvents', () => {
  it('holds a trailing CR back, for its LF may come next', () => {
    expect(splitEvents('data: a\r', false)).toEqual({ events: [], rest: 'data: a\r' });
    expect(splitEvents('data: a\r\n\r', false)).toEqual({ events: [], rest: 'data: a\n\r' });
  });
});
