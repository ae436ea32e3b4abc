import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';

/** `payload` is what was sent; null right after (re)connecting, when anything may have been missed: read it all again. */
export type NotificationHandler = (payload: string | null) => void | Promise<void>;

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5_000;
const PING_EVERY_MS = 15_000;
/** Longest that a connection which does not answer is waited for at its end. */
const ENDS_WITHIN_MS = 1_000;

/**
 * LISTEN on a connection of its own, which is made again whenever it breaks.
 * A notification is only a hint to look: what counts is in the rows, so a lost one costs time, never data.
 */
export class Notifications {
  private readonly handlers = new Map<string, Set<NotificationHandler>>();
  private running: Promise<void> | undefined;
  private readonly stopping = new AbortController();

  constructor(
    private readonly url: string,
    private readonly onError: (error: unknown) => void = () => undefined,
  ) {}

  /** Adds a handler; call before {@link start}. */
  listen(channel: string, handler: NotificationHandler): void {
    const handlers = this.handlers.get(channel) ?? new Set();
    this.handlers.set(channel, handlers.add(handler));
  }

  /** Starts listening in the background; resolves at once, also while the database is away. */
  start(): void {
    this.running ??= this.run();
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Nest's shutdown hook. */
  async onModuleDestroy(): Promise<void> {
    await this.close();
  }

  private async run(): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!this.stopping.signal.aborted) {
      try {
        await this.listenUntilLost(() => {
          retryMs = FIRST_RETRY_MS;
          for (const channel of this.handlers.keys()) this.dispatch(channel, null);
        });
      } catch (error) {
        if (!this.stopping.signal.aborted) this.onError(error);
      }
      await sleep(retryMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    }
  }

  /** Rejects with the reason the connection was lost, or is wanted no more. */
  private async listenUntilLost(onConnected: () => void): Promise<void> {
    const client = new Client({
      connectionString: this.url,
      application_name: 'attune-listen',
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
      query_timeout: 10_000,
    });
    let stop: () => void = () => undefined;
    const lost = new Promise<never>((_, reject) => {
      stop = () => reject(new Error('nobody listens any more'));
      client.on('error', reject);
      client.on('end', () => reject(new Error('the notification connection was closed')));
      this.stopping.signal.addEventListener('abort', stop);
    });
    lost.catch(() => undefined);
    client.on('notification', ({ channel, payload }) => this.dispatch(channel, payload ?? ''));
    // A server that vanished without a word (cable, container) is only noticed by asking it something.
    const ping = setInterval(() => client.query('select 1').catch(() => client.end()), PING_EVERY_MS);
    try {
      // A connection that is ended while it is made says nothing: neither that it is there nor that it is not.
      await Promise.race([this.connect(client), lost]);
      onConnected();
      await lost;
    } finally {
      clearInterval(ping);
      this.stopping.signal.removeEventListener('abort', stop);
      const ended = client.end().catch(() => undefined);
      await Promise.race([ended, sleep(ENDS_WITHIN_MS, undefined, { ref: false })]);
    }
  }

  private async connect(client: Client): Promise<void> {
    await client.connect();
    for (const channel of this.handlers.keys()) await client.query(`listen ${client.escapeIdentifier(channel)}`);
  }

  private dispatch(channel: string, payload: string | null): void {
    for (const handler of this.handlers.get(channel) ?? []) {
      Promise.resolve(payload).then(handler).catch(this.onError);
    }
  }
}
