import type { EngineEvent, FinishedEvent, TokenEvent } from '@attune/engine';
import { InvalidRequestError, RateLimitedError, UnavailableError } from '@attune/platform';
import type { Tokenizer } from '@attune/tokenizer';
import type { InferenceEvent, InferenceRequest } from './inference.types.js';
import { StopMatcher } from './stop-matcher.js';
import { TokenLogprobs } from './token-logprobs.js';

/** Decodes one answer and watches for its stop strings. */
export class TextOfTokens {
  private readonly decoder;
  private readonly stops;
  private readonly logprobs: TokenLogprobs | undefined;
  private stopped = false;

  constructor(
    tokenizer: Tokenizer,
    request: Pick<InferenceRequest, 'stop' | 'topLogprobs' | 'keepTokens'>,
    private readonly stopEngine: AbortController,
  ) {
    this.decoder = tokenizer.streamDecoder(request.keepTokens);
    this.stops = new StopMatcher(request.stop);
    if (request.topLogprobs !== undefined) this.logprobs = new TokenLogprobs(tokenizer);
  }

  async *read(events: AsyncIterable<EngineEvent>): AsyncGenerator<InferenceEvent> {
    for await (const event of events) {
      if (event.type === 'started') {
        const { weights, seed, cachedTokens } = event;
        yield { type: 'started', fingerprint: weights.digest, adapter: weights.adapter, seed, cachedTokens };
      } else if (event.type === 'finished') {
        yield* this.end(event);
      } else if (!this.stopped) {
        const text = this.take(event);
        yield { type: 'text', text, token: event.token, logProb: event.logProb, ...this.likelihoods(text) };
      }
    }
  }

  private take(event: TokenEvent): string {
    const decoded = this.decoder.push(event.token);
    this.logprobs?.push(event, decoded);
    const { text, stopped } = this.stops.push(decoded);
    this.stopped = stopped;
    if (stopped) this.stopEngine.abort();
    return text;
  }

  private likelihoods(text: string) {
    const logprobs = this.logprobs?.of(text);
    return logprobs?.length ? { logprobs } : {};
  }

  private *end(event: FinishedEvent): Generator<InferenceEvent> {
    if (!this.stopped) {
      const last = this.stops.push(this.decoder.flush());
      this.stopped = last.stopped;
      const rest = last.text + (last.stopped ? '' : this.stops.flush());
      const logprobs = last.stopped ? this.logprobs?.of(rest) : this.logprobs?.rest();
      if (rest !== '' || logprobs?.length) yield { type: 'text', text: rest, ...(logprobs?.length && { logprobs }) };
    }
    const { queuedMs, prefillMs } = event.timings;
    yield { type: 'finished', reason: this.stopped ? 'stop' : reasonOf(event), queuedMs, prefillMs };
  }
}

function reasonOf(event: FinishedEvent): 'stop' | 'length' | 'cancelled' {
  if (event.reason === 'rejected') throw rejection(event);
  if (event.reason === 'failed') {
    throw new UnavailableError(
      `The engine broke while answering (${event.error ?? 'no reason given'}); it restarts by itself, send the request again.`,
      { code: 'engine_failed', retryAfterSeconds: 2 },
    );
  }
  return event.reason;
}

function rejection({ rejection: kind, error = 'it gave no reason' }: FinishedEvent): Error {
  const later = { code: 'engine_overloaded', retryAfterSeconds: 2 };
  if (kind === 'overloaded') return new RateLimitedError(`The engine takes no more requests: ${error}.`, later);
  if (kind === 'late') return new UnavailableError(`The request waited too long: ${error}.`, later);
  return new InvalidRequestError(`The engine cannot run this request: ${error}.`);
}
