import type { WebSocket } from 'ws';

const PING_EVERY_MS = 30_000;
const GOING_AWAY = 1001;
/** Bytes a client may leave unread before nothing more is read from it either. */
const MOST_UNREAD = 1_000_000;

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
    return new Promise((resolve) => {
      this.socket.send(JSON.stringify(event), () => {
        if (this.socket.isPaused && this.socket.bufferedAmount < MOST_UNREAD) this.socket.resume();
        resolve();
      });
      // Every frame of a client has an answer: who sends and never reads is not read from either.
      if (this.socket.bufferedAmount >= MOST_UNREAD) this.socket.pause();
    });
  }

  close(code = GOING_AWAY, reason = 'the server is stopping'): void {
    this.socket.close(code, reason);
  }

  /** A client that has not answered the last ping is taken for gone; one that is not read from cannot answer. */
  private ping(): void {
    if (!this.alive) return this.socket.terminate();
    this.alive = false;
    this.socket.ping();
  }
}
