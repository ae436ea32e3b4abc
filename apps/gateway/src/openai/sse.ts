import { once } from 'node:events';
import type { FastifyReply } from 'fastify';

/** Server-sent events on a hijacked reply, written no faster than the client reads. */
export class EventStream {
  private readonly gone = new AbortController();
  private open = false;
  /** Whether chunks of HTTP are framed here: Node writes the frame of each as three pieces of its own. */
  private framed = false;

  constructor(private readonly reply: FastifyReply) {
    // `close` also follows a complete answer; only a connection that ends before that is a client who left.
    reply.raw.on('close', () => {
      if (!reply.raw.writableFinished) this.gone.abort();
    });
    // Who left while the request was still being read or authenticated has closed already, and will not again.
    if (reply.raw.destroyed || reply.raw.socket?.destroyed) this.gone.abort();
  }

  /** Aborted when the client goes away before the stream has ended. */
  get disconnected(): AbortSignal {
    return this.gone.signal;
  }

  get started(): boolean {
    return this.open;
  }

  /**
   * Sends `data` (JSON, or a bare word such as `[DONE]`).
   * @returns what to wait for until the client has room for more; nothing where it has
   */
  send(data: unknown, event?: string): Promise<void> | undefined {
    const body = typeof data === 'string' ? data : JSON.stringify(data);
    return this.write(`${event === undefined ? '' : `event: ${event}\n`}data: ${body}\n\n`);
  }

  /** Opens a stream that may turn out to have no events at all. */
  start(): void {
    if (!this.open && !this.disconnected.aborted) this.begin();
  }

  /** A line that clients pass over, so that nobody between takes a silent stream for a dead one. */
  beat(): void {
    if (this.open && !this.disconnected.aborted && !this.reply.raw.writableNeedDrain) {
      this.reply.raw.write(this.frame(': still here\n\n'));
    }
  }

  end(): void {
    if (this.open) this.reply.raw.end(this.framed ? '0\r\n\r\n' : undefined);
  }

  private write(text: string): Promise<void> | undefined {
    if (this.disconnected.aborted) return undefined;
    if (!this.open) this.begin();
    return this.reply.raw.write(this.frame(text)) ? undefined : this.room();
  }

  private async room(): Promise<void> {
    if (this.reply.raw.destroyed) return this.gone.abort();
    await once(this.reply.raw, 'drain', { signal: this.disconnected }).catch(() => undefined);
  }

  private begin(): void {
    this.open = true;
    this.reply.hijack();
    this.reply.raw.writeHead(200, {
      ...(this.reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      // Proxies such as nginx would otherwise collect the whole answer first.
      'x-accel-buffering': 'no',
    });
    // HTTP/1.0 knows no chunks, and some proxies speak it.
    this.framed = this.reply.raw.chunkedEncoding;
    this.reply.raw.chunkedEncoding = false;
  }

  private frame(text: string): string {
    return this.framed ? `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n` : text;
  }
}
