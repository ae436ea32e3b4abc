import { connect } from 'node:net';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import type { RealtimeClientEvent, RealtimeServerEvent } from 'openai/resources/realtime/realtime';
import type { TestGateway } from './gateway.js';

/**
 * The official Realtime class against a gateway without TLS: it insists on `wss:`, so the socket beneath is made here.
 */
export async function openRealtime(gateway: TestGateway, apiKey = gateway.userKey) {
  const socketOptions = { createConnection: () => connect(gateway.port, '127.0.0.1') };
  const realtime = new OpenAIRealtimeWS({ model: gateway.model, options: socketOptions }, gateway.client(apiKey));
  const log = new EventLog(realtime);
  await log.next('session.created');
  return { realtime, log, close: () => realtime.close() };
}

/** All server events, and waiting for the next of a type. */
export class EventLog {
  readonly events: RealtimeServerEvent[] = [];
  private place = 0;
  private wake: () => void = () => undefined;

  constructor(private readonly realtime: OpenAIRealtimeWS) {
    realtime.on('event', (event) => {
      this.events.push(event);
      this.wake();
    });
    // The class throws unhandled errors at the process; specs read them from the log.
    realtime.on('error', () => undefined);
  }

  send(event: RealtimeClientEvent): void {
    this.realtime.send(event);
  }

  /** The next event of this type after the last one waited for. */
  async next<Type extends RealtimeServerEvent['type']>(type: Type, timeoutMs = 20_000) {
    const until = Date.now() + timeoutMs;
    for (;;) {
      const at = this.events.findIndex((event, index) => index >= this.place && event.type === type);
      if (at >= 0) {
        this.place = at + 1;
        return this.events[at] as Extract<RealtimeServerEvent, { type: Type }>;
      }
      const left = until - Date.now();
      if (left <= 0) throw new Error(`no ${type} within ${timeoutMs} ms; got ${this.types().join(', ')}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  types(): string[] {
    return this.events.map((event) => event.type);
  }
}
