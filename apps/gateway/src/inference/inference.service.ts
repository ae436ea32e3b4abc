import type { ChatMessage } from '@attune/contracts';
import type { EngineEvent, FinishedEvent, TokenEngine } from '@attune/engine';
import { InvalidRequestError, RateLimitedError, UnavailableError, type Config } from '@attune/platform';
import type { Tokenizer } from '@attune/tokenizer';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, ENGINE } from '../core/tokens.js';
import type { InferenceEvent, InferenceRequest } from './inference.types.js';
import { ServedModel } from './served-model.js';
import { StopMatcher } from './stop-matcher.js';

/** Messages to token ids, and the engine's tokens to text. */
@Injectable()
export class InferenceService {
  private waiting = 0;

  constructor(
    @Inject(ENGINE) private readonly engine: TokenEngine,
    @Inject(CONFIG) private readonly config: Config,
    private readonly model: ServedModel,
  ) {}

  /** Requests taken in that the engine has not begun. */
  get queueDepth(): number {
    return this.waiting;
  }

  /** The prompt under the model's chat template, ending where the assistant starts to speak. */
  encodePrompt(messages: readonly ChatMessage[]): number[] {
    return this.model.tokenizer.encodeChat(messages, { addGenerationPrompt: true });
  }

  countTokens(text: string): number {
    return this.model.tokenizer.encode(text).length;
  }

  /**
   * Runs one prompt; leaving the loop or aborting `signal` ends it within a step.
   * @throws UnavailableError when the engine broke
   */
  async *generate(request: InferenceRequest, signal: AbortSignal): AsyncGenerator<InferenceEvent> {
    const stopped = new AbortController();
    const events = this.engine.generate(
      {
        id: request.id,
        promptIds: request.promptIds,
        maxTokens: request.maxTokens,
        stopIds: this.model.tokenizer.eosIds,
        sampling: request.sampling,
        logProbs: true,
        user: request.user,
      },
      { signal: AbortSignal.any([signal, stopped.signal]) },
    );
    yield* new TextOfTokens(this.model.tokenizer, request.stop, stopped).read(events);
  }

  /**
   * Takes a place in the queue, before the first await of a request, so that a crowd arriving together is counted; call
   * the result to give it back when the engine has begun or never will (more than once does no harm).
   * @throws RateLimitedError when as many requests wait as may
   */
  reserve(): () => void {
    const limit = this.config.model.engineQueueLimit;
    if (this.waiting >= limit) {
      throw new RateLimitedError(
        `${this.waiting} requests already wait for the model, the most ENGINE_QUEUE_LIMIT allows; try again shortly.`,
        { code: 'engine_overloaded', retryAfterSeconds: 2 },
      );
    }
    this.waiting += 1;
    let held = true;
    return () => {
      if (held) this.waiting -= 1;
      held = false;
    };
  }
}

/** Decodes one answer and watches for its stop strings. */
class TextOfTokens {
  private readonly decoder;
  private readonly stops;
  private stopped = false;

  constructor(
    tokenizer: Tokenizer,
    stop: readonly string[],
    private readonly stopEngine: AbortController,
  ) {
    this.decoder = tokenizer.streamDecoder();
    this.stops = new StopMatcher(stop);
  }

  async *read(events: AsyncIterable<EngineEvent>): AsyncGenerator<InferenceEvent> {
    for await (const event of events) {
      if (event.type === 'started') {
        const { weights, seed, cachedTokens } = event;
        yield { type: 'started', fingerprint: weights.digest, adapter: weights.adapter, seed, cachedTokens };
      } else if (event.type === 'finished') {
        yield* this.end(event);
      } else if (!this.stopped) {
        yield { type: 'text', text: this.take(event.token), token: event.token, logProb: event.logProb };
      }
    }
  }

  private take(token: number): string {
    const { text, stopped } = this.stops.push(this.decoder.push(token));
    this.stopped = stopped;
    if (stopped) this.stopEngine.abort();
    return text;
  }

  private *end(event: FinishedEvent): Generator<InferenceEvent> {
    if (!this.stopped) {
      const last = this.stops.push(this.decoder.flush());
      this.stopped = last.stopped;
      const rest = last.text + (last.stopped ? '' : this.stops.flush());
      if (rest !== '') yield { type: 'text', text: rest };
    }
    const { queuedMs, prefillMs } = event.timings;
    yield { type: 'finished', reason: this.stopped ? 'stop' : reasonOf(event), queuedMs, prefillMs };
  }
}

function reasonOf(event: FinishedEvent): 'stop' | 'length' | 'cancelled' {
  if (event.reason === 'rejected') {
    throw new InvalidRequestError(`The engine cannot run this request: ${event.error ?? 'it gave no reason'}.`);
  }
  if (event.reason === 'failed') {
    throw new UnavailableError(
      `The engine broke while answering (${event.error ?? 'no reason given'}); it restarts by itself, send the request again.`,
      { code: 'engine_failed', retryAfterSeconds: 2 },
    );
  }
  return event.reason;
}
