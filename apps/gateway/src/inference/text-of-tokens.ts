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
    private readonly stopEngine: () => void,
  ) {
    this.decoder = tokenizer.streamDecoder(request.keepTokens);
    this.stops = new StopMatcher(request.stop);
    if (request.topLogprobs !== undefined) this.logprobs = new TokenLogprobs(tokenizer);
  }

  /**
   * What an event of the engine says; after a stop string only how it ended.
   * @throws UnavailableError, RateLimitedError or InvalidRequestError for a run that broke or was turned away
   */
  read(event: EngineEvent): InferenceEvent[] {
    if (event.type === 'started') {
      const { weights, seed, cachedTokens } = event;
      return [{ type: 'started', fingerprint: weights.digest, adapter: weights.adapter, seed, cachedTokens }];
    }
    if (event.type === 'finished') return this.end(event);
    if (this.stopped) return [];
    const text = this.take(event);
    return [{ type: 'text', text, token: event.token, logProb: event.logProb, ...this.likelihoods(text) }];
  }

  private take(event: TokenEvent): string {
    const decoded = this.decoder.push(event.token);
    this.logprobs?.push(event, decoded);
    const { text, stopped } = this.stops.push(decoded);
    this.stopped = stopped;
    if (stopped) this.stopEngine();
    return text;
  }

  private likelihoods(text: string) {
    const logprobs = this.logprobs?.of(text);
    return logprobs?.length ? { logprobs } : {};
  }

  private end(event: FinishedEvent): InferenceEvent[] {
    const { queuedMs, prefillMs } = event.timings;
    const rest = this.stopped ? [] : this.rest();
    return [...rest, { type: 'finished', reason: this.stopped ? 'stop' : reasonOf(event), queuedMs, prefillMs }];
  }

  /** What was held back. */
  private rest(): InferenceEvent[] {
    const last = this.stops.push(this.decoder.flush());
    this.stopped = last.stopped;
    const text = last.text + (last.stopped ? '' : this.stops.flush());
    const logprobs = last.stopped ? this.logprobs?.of(text) : this.logprobs?.rest();
    if (text === '' && !logprobs?.length) return [];
    return [{ type: 'text', text, ...(logprobs?.length && { logprobs }) }];
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
  if (kind === 'overloaded') {
    const message = `The engine takes no more requests: ${error}.`;
    return new RateLimitedError(message, { code: 'engine_overloaded', retryAfterSeconds: 2 });
  }
  if (kind === 'late') {
    const message = `The request waited too long: ${error}.`;
    return new UnavailableError(message, { code: 'server_is_overloaded', retryAfterSeconds: 2 });
  }
  return new InvalidRequestError(`The engine cannot run this request: ${error}.`);
}
