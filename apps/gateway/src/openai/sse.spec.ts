import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { EventStream } from './sse.js';

describe('server-sent events', () => {
  it('wait for a client that reads slowly, and stop for one that leaves', async () => {
    const app = Fastify();
    let sent = 0;
    let ended: (reason: string) => void;
    const done = new Promise<string>((resolve) => (ended = resolve));
    app.get('/', async (_, reply) => {
      const stream = new EventStream(reply);
      const piece = { text: 'x'.repeat(64 * 1024) };
      for (; sent < 1_000 && !stream.disconnected.aborted; sent++) await stream.send(piece);
      ended(stream.disconnected.aborted ? 'client left' : 'all sent');
      stream.end();
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const response = await new Promise<IncomingMessage>((resolve) => get({ port, host: '127.0.0.1' }, resolve));
    expect(response.headers['content-type']).toContain('text/event-stream');
    response.pause();
    await expect.poll(() => sent, { timeout: 5_000 }).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const whilePaused = sent;
    await new Promise((resolve) => setTimeout(resolve, 300));
    // Only what the sockets' buffers hold has left; the rest was never made.
    expect(sent).toBe(whilePaused);
    expect(sent).toBeLessThan(500);
    response.destroy();
    expect(await done).toBe('client left');
    await app.close();
  });

  it('can be empty, and can be told to be alive once they are open', async () => {
    const app = Fastify();
    app.get('/empty', async (_, reply) => {
      const stream = new EventStream(reply);
      stream.beat();
      stream.start();
      stream.end();
    });
    app.get('/alive', async (_, reply) => {
      const stream = new EventStream(reply);
      await stream.send('one');
      stream.beat();
      await stream.send('two');
      stream.end();
    });
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const empty = await fetch(`${url}/empty`);
    expect(empty.headers.get('content-type')).toContain('text/event-stream');
    expect(await empty.text()).toBe('');
    expect(await (await fetch(`${url}/alive`)).text()).toBe('data: one\n\n: still here\n\ndata: two\n\n');
    await app.close();
  });

  it('carry any character, over a connection that goes on', async () => {
    const app = Fastify();
    app.get('/', async (_, reply) => {
      const stream = new EventStream(reply);
      for (const text of ['grüße', '🎉', 'x'.repeat(70_000)]) await stream.send({ text });
      stream.end();
    });
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    for (let time = 0; time < 2; time++) {
      const events = (await (await fetch(url)).text()).split('\n\n');
      expect(events.slice(0, 2)).toEqual(['data: {"text":"grüße"}', 'data: {"text":"🎉"}']);
      expect(events[2]).toHaveLength(70_000 + 'data: {"text":""}'.length);
    }
    await app.close();
  });

  it('are not in chunks for who speaks HTTP/1.0', async () => {
    const app = Fastify();
    app.get('/', async (_, reply) => {
      const stream = new EventStream(reply);
      await stream.send('one');
      stream.end();
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1').end('GET / HTTP/1.0\r\n\r\n');
    const [, body] = Buffer.concat((await socket.toArray()) as Buffer[])
      .toString()
      .split('\r\n\r\n');
    expect(body).toBe('data: one\n\n');
    await app.close();
  });

  it('know a client that left before the stream was made, and do not wait for it', async () => {
    const app = Fastify();
    let finish: (disconnected: boolean) => void;
    const done = new Promise<boolean>((resolve) => (finish = resolve));
    let arrived: () => void;
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    app.get('/', async (_, reply) => {
      arrived();
      await once(reply.raw, 'close');
      const stream = new EventStream(reply);
      await stream.send({ text: 'x'.repeat(1024 * 1024) });
      stream.end();
      finish(stream.disconnected.aborted);
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const request = get({ port, host: '127.0.0.1' }).on('error', () => undefined);
    await arrival;
    request.destroy();
    expect(await done).toBe(true);
    await app.close();
  });
});
