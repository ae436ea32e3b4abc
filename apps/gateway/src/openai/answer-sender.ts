import type { Logger } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Caller } from '../auth/caller.js';
import type { ChatRequest } from '../chat/chat.types.js';
import { LOGGER } from '../core/tokens.js';
import { streamChunks } from './answer-writer.js';
import { ChatCompletionsService } from './chat-completions.service.js';
import type { ChoiceEvent } from './choices.js';
import { EventStream } from './sse.js';

/** A request as it came in by HTTP. */
export interface Asked {
  caller: Caller;
  body: unknown;
  idempotencyKey: string | undefined;
  reply: FastifyReply;
}

/** How an endpoint words an answer. */
export interface Wording {
  stream: boolean;
  chunks(events: AsyncIterable<ChoiceEvent>): AsyncIterable<object>;
  whole(events: AsyncIterable<ChoiceEvent>): Promise<object>;
}

/** Answers to Chat Completions and Completions on their way out: streamed or whole, made now or remembered. */
@Injectable()
export class AnswerSender {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly completions: ChatCompletionsService,
  ) {}

  /** @param requests one for each choice */
  async send({ reply, ...asked }: Asked, requests: readonly ChatRequest[], wording: Wording): Promise<void> {
    const client = new EventStream(reply);
    const options = { ...asked, signal: client.disconnected };
    const { events, replayed } = await this.completions.answer(asked.caller, requests, options);
    if (replayed) void reply.header('idempotent-replayed', 'true');
    if (wording.stream) await streamChunks(client, wording.chunks(events), this.logger);
    else void reply.send(await wording.whole(events));
  }
}
