import { EventEmitter } from 'node:events';
import type { AppError } from '@attune/platform';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { Draining } from '../core/draining.js';
import { SocketChannel } from './socket-channel.js';
import { SocketSessions, type SocketSession } from './socket-sessions.js';

/** A socket whose network takes bytes only when it is told to. */
class SlowSocket extends EventEmitter {
  bufferedAmount = 0;
  isPaused = false;
  closed: [number, string] | undefined;
  /** Whether the client answers pings. */
  answers = true;
  private readonly unsent: (() => void)[] = [];

  send(text: string, sent: () => void): void {
    this.bufferedAmount += text.length;
    this.unsent.push(() => {
      this.bufferedAmount -= text.length;
      sent();
    });
  }
  pause() {
    this.isPaused = true;
  }
  resume() {
    this.isPaused = false;
  }
  ping() {
    if (this.answers) this.emit('pong');
  }
  terminate() {
    this.emit('close');
  }
  close(code: number, reason: string) {
    this.closed = [code, reason];
    this.emit('close');
  }
  read(count = this.unsent.length): void {
    for (const take of this.unsent.splice(0, count)) take();
  }
}

const asSocket = (socket: SlowSocket) => socket as unknown as WebSocket;
const settled = () => vi.advanceTimersByTimeAsync(0);

function setUp() {
  const socket = new SlowSocket();
  const draining = new Draining();
  const sessions = new SocketSessions(draining, 'limit_reached');
  const received: string[] = [];
  const errors: AppError[] = [];
  let finish = () => {};
  const running = new Promise<void>((resolve) => (finish = resolve));
  const session: SocketSession = {
    receive: async (frame) => void received.push(frame.type),
    reportError: async (error) => void errors.push(error),
    idle: () => running,
  };
  sessions.add(asSocket(socket), () => session);
  const send = (type: string) => socket.emit('message', Buffer.from(JSON.stringify({ type })), false);
  return { socket, draining, sessions, received, errors, finish, send };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('sockets', () => {
  it('are open for an hour, and close when what runs has ended', async () => {
    const { socket, errors, received, finish, send } = setUp();
    await vi.advanceTimersByTimeAsync(3_599_000);
    expect(errors).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(errors).toMatchObject([{ code: 'limit_reached' }]);
    send('response.create');
    await settled();
    expect(received).toEqual([]);
    expect(errors).toHaveLength(2);
    expect(socket.closed).toBeUndefined();
    finish();
    await settled();
    expect(socket.closed![0]).toBe(1001);
  });

  it('take nothing new when the server stops, but what runs can be cancelled', async () => {
    const { socket, draining, sessions, errors, received, finish, send } = setUp();
    send('response.create');
    draining.begin();
    const drained = sessions.drain();
    send('response.create');
    send('response.cancel');
    await settled();
    expect(received).toEqual(['response.create', 'response.cancel']);
    expect(errors).toMatchObject([{ kind: 'unavailable' }]);
    expect(socket.closed).toBeUndefined();
    finish();
    await drained;
    expect(socket.closed![0]).toBe(1001);
  });

  it('are given up when they do not answer a ping', async () => {
    const socket = new SlowSocket();
    const { closed } = new SocketChannel(asSocket(socket));
    await vi.advanceTimersByTimeAsync(90_000);
    expect(closed.aborted).toBe(false);
    socket.answers = false;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(closed.aborted).toBe(true);
  });

  it('are not read from while their client does not read', async () => {
    const socket = new SlowSocket();
    const channel = new SocketChannel(asSocket(socket));
    const big = { text: 'x'.repeat(600_000) };
    void channel.send(big);
    expect(socket.isPaused).toBe(false);
    const second = channel.send(big);
    expect(socket.isPaused).toBe(true);
    socket.read(1);
    await settled();
    expect(socket.isPaused).toBe(false);
    socket.read();
    await second;
  });
});
