import type { FinishReason, ToolCall, Usage } from '@attune/contracts';
import type { CompletionOutcome } from '@attune/persistence';
import type { Clock } from '@attune/platform';
import type { InferenceEvent } from '../inference/inference.types.js';
import type { AnswerEvent } from './chat.types.js';

/** Gathers what becomes of one answer, whatever becomes of it. Durations in milliseconds since the request came in. */
export class CompletionRecord {
  readonly tokens: number[] = [];
  private readonly logProbs: number[] = [];
  private text = '';
  private readonly calls: ToolCall[] = [];
  private reason: FinishReason | undefined;
  private started: Extract<InferenceEvent, { type: 'started' }> | undefined;
  private finished: Extract<InferenceEvent, { type: 'finished' }> | undefined;
  private firstTextAt: number | undefined;
  private failure: string | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly promptTokens: number,
    private readonly requestedAt: number,
  ) {}

  note(event: InferenceEvent): void {
    if (event.type === 'started') this.started = event;
    else if (event.type === 'finished') this.finished = event;
    else {
      if (event.text !== '') this.firstTextAt ??= this.clock.monotonicMs();
      if (event.token !== undefined) this.tokens.push(event.token);
      if (event.logProb !== undefined) this.logProbs.push(event.logProb);
    }
  }

  /** What the client is told of it. */
  say(event: AnswerEvent): void {
    if (event.type === 'text') this.text += event.text;
    else if (event.type === 'tool_call') {
      this.calls.push({ id: event.id, type: 'function', function: { name: event.name, arguments: '' } });
    } else if (event.type === 'tool_arguments') this.calls[event.index].function.arguments += event.text;
  }

  end(reason: FinishReason): void {
    this.reason = reason;
  }

  fail(message: string): void {
    this.failure = message;
  }

  get ttftMs(): number | null {
    return this.firstTextAt === undefined ? null : this.firstTextAt - this.requestedAt;
  }

  get weightsDigest(): string | null {
    return this.started?.fingerprint ?? null;
  }

  get usage(): Usage {
    const completionTokens = this.tokens.length;
    return {
      prompt_tokens: this.promptTokens,
      completion_tokens: completionTokens,
      total_tokens: this.promptTokens + completionTokens,
      prompt_tokens_details: { cached_tokens: this.started?.cachedTokens ?? 0 },
      completion_tokens_details: { reasoning_tokens: 0 },
    };
  }

  /** An answer that neither finished nor failed was given up by its reader. */
  outcome(checkpointId: string | null): CompletionOutcome {
    const reason = this.finished?.reason;
    const done = this.failure === undefined && (reason === 'stop' || reason === 'length');
    return {
      status: done ? 'done' : this.failure === undefined ? 'cancelled' : 'failed',
      answer: this.text,
      answerTokenIds: this.tokens,
      answerLogProbs: this.logProbs,
      toolCalls: this.calls.length > 0 ? this.calls : null,
      stopReason: this.failure === undefined ? (this.reason ?? reason ?? 'cancelled') : 'error',
      error: this.failure ?? null,
      weightsDigest: this.weightsDigest,
      checkpointId,
      seed: this.started?.seed,
      promptTokens: this.promptTokens,
      cachedTokens: this.started?.cachedTokens ?? 0,
      completionTokens: this.tokens.length,
      queueMs: this.finished?.queuedMs ?? null,
      prefillMs: this.finished?.prefillMs ?? null,
      ttftMs: this.ttftMs,
      totalMs: this.clock.monotonicMs() - this.requestedAt,
    };
  }
}
