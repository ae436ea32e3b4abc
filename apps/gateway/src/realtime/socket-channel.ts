import type { WebSocket } from 'ws';

const PING_EVERY_MS = 30_000;
const GOING_AWAY = 1001;

/** One client's socket: JSON out no faster than it is read, and a signal for when the client is gone. */
export class SocketChannel {
  private readonly gone = new AbortController();
  private alive = true;

  constructor(private readonly socket: WebSocket) {
    const ping = setInterval(() => this.ping(), PING_EVERY_MS).unref();
    socket.on('pong', () => (this.alive = true));
    socket.on('error', () => this.gone.abort());
    socket.on('close', () => {
      clearInterval(ping);
      this.gone.abort();
    });
  }

  get closed(): AbortSignal {
    return this.gone.signal;
  }

  /** Resolves when the event has been handed to the network, or the client has left. */
  send(event: object): Promise<void> {
    if (this.closed.aborted) return Promise.resolve();
    return new Promise((resolve) => this.socket.send(JSON.stringify(event), () => resolve()));
  }

  close(code = GOING_AWAY, reason = 'the server is stopping'): void {
    this.socket.close(code, reason);
  }

  /** A client that has not answered the last ping is taken for gone. */
  private ping(): void {
    if (!this.alive) return this.socket.terminate();
    this.alive = false;
    this.socket.ping();
  }
}
