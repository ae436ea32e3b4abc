import type { ResponseObject } from '@attune/contracts';
import {
  Notifications,
  RESPONSE_CANCELLED,
  ResponseEventRepository,
  RunningResponseRepository,
  SILENT_MS,
  type StoredResponse,
} from '@attune/persistence';
import { messageOf, type Logger } from '@attune/platform';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { GatewayInstance } from '../core/gateway-instance.js';
import { LOGGER } from '../core/tokens.js';
import { EventJournal } from './event-journal.js';
import { toldOutput } from './lost-output.js';
import { lastEventOf } from './response-events.js';
import { ENDED_ELSEWHERE, RunningResponses } from './running-responses.js';

const BEAT_EVERY_MS = 3_000;
const SWEEP_EVERY_MS = 5_000;
const PRUNE_EVERY_MS = 60_000;
/** How long a stream can be replayed after its end. */
const STREAM_KEPT_MS = 900_000;
const MOST_EVENTS = 100_000;
const GATEWAY_ENDED = {
  code: 'server_error',
  message: 'The server that was answering ended before the answer did; ask again.',
} as const;

/** Keeps what is stored of responses true: alive while they are answered, failed when their gateway has ended. */
@Injectable()
export class ResponseKeeper implements OnModuleInit, BeforeApplicationShutdown {
  private timers: NodeJS.Timeout[] = [];

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly instance: GatewayInstance,
    private readonly running: RunningResponses,
    private readonly responses: RunningResponseRepository,
    private readonly events: ResponseEventRepository,
    private readonly journal: EventJournal,
    notifications: Notifications,
  ) {
    notifications.listen(RESPONSE_CANCELLED, (id) => this.running.get(id ?? '')?.stop('cancelled'));
  }

  onModuleInit(): void {
    this.every(BEAT_EVERY_MS, () => this.beat());
    this.every(SWEEP_EVERY_MS, async () => {
      if (this.instance.canJudge) await this.endLost(SILENT_MS);
    });
    this.every(PRUNE_EVERY_MS, () => this.events.prune(STREAM_KEPT_MS));
  }

  /** Responses under way end, or are ended by the deadline of the shutdown, before the database goes. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.running.idle();
    for (const timer of this.timers) clearInterval(timer);
    await this.journal.close();
  }

  /** Ends what gateways silent for `silentMs` have left, with the output they had told of. */
  async endLost(silentMs: number): Promise<void> {
    for (const id of await this.responses.lost(silentMs)) {
      // Only its beat was not heard.
      if (this.running.get(id) || this.running.unfiled.has(id)) continue;
      const ended = await this.responses.endLost(id, silentMs, (response) => this.lostBody(response));
      if (ended) this.logger.warn({ response: id }, 'a response was left by a gateway that ended; marked as failed');
    }
  }

  private async lostBody(response: StoredResponse): Promise<ResponseObject> {
    const told = await this.events.after(response.id, -1, MOST_EVENTS);
    const body: ResponseObject = {
      ...response.body,
      // Who has asked for its end does not call it a failure.
      ...(response.cancelRequested ? { status: 'cancelled' } : { status: 'failed', error: GATEWAY_ENDED }),
      output: toldOutput(told),
    };
    const sequence = (told.at(-1)?.sequence_number ?? -1) + 1;
    const last = lastEventOf(body, sequence);
    await this.events.append([{ responseId: response.id, sequence, json: JSON.stringify(last) }]);
    return body;
  }

  private async beat(): Promise<void> {
    const ids = [...this.running.ids, ...this.running.unfiled];
    if (ids.length === 0) return;
    const { cancelled, ended } = await this.responses.beat(ids);
    for (const id of cancelled) this.running.get(id)?.stop('cancelled');
    for (const id of ended) this.running.get(id)?.stop(ENDED_ELSEWHERE);
  }

  private every(ms: number, act: () => Promise<void>): void {
    const safely = () =>
      act().catch((error: unknown) => this.logger.warn({ err: error }, `responses not kept: ${messageOf(error)}`));
    this.timers.push(setInterval(() => void safely(), ms).unref());
  }
}
