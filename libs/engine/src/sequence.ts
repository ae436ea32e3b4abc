import type { Matcher } from '@attune/structured';
import type { PreparedAdapter } from './adapters-prepared.js';
import type { HealedPrompt } from './healing.js';
import type { Draw } from './running/runner.js';
import { isPlain } from './sampling/plain.js';
import { uniformOf } from './sampling/sampler.js';
import type { ResolvedSampling } from './sampling/sampler-step.js';
import type { RunningView } from './scheduling/scheduler.js';
import type { EngineEvent, FinishedEvent, GenerateRequest, StopReason, TokenEvent, WeightsId } from './types.js';

/** Weights as sequences hold them: what they are called and what the runner needs. Never changes under a sequence. */
export interface ActiveWeights {
  readonly id: WeightsId;
  readonly prepared: PreparedAdapter;
  /** Called when a sequence begins on them, and when it is over. */
  hold?(): void;
  drop?(): void;
}

export type EventSink = (event: EngineEvent) => void;

/** A request on its way: waiting until `begin`, then running in a slot until it ends. */
export class Sequence {
  /** Soft prompt (virtual tokens), prompt and answer so far. */
  readonly tokens: number[];
  /** Virtual tokens before the prompt: their keys and values come from embeddings, not from token ids. */
  numVirtual = 0;
  readonly promptCounts: ReadonlyMap<number, number>;
  readonly answerCounts = new Map<number, number>();
  /** Tokens whose keys and values are in the cache. */
  computed = 0;
  slot = -1;
  cancelled = false;
  weights: ActiveWeights | undefined;
  /** A sequence that reads the same prompt, up to its token `until`; this one starts when that is done. */
  waitsFor: { readonly sequence: Sequence; readonly until: number } | null = null;
  /** Follows a structured answer; it has accepted every token of it. */
  matcher: Matcher | undefined;
  private healed: HealedPrompt | null = null;
  private cached = 0;
  private startedAt: number | undefined;
  private firstTokenAt: number | undefined;

  constructor(
    private given: GenerateRequest,
    readonly sampling: ResolvedSampling,
    private readonly arrivedAt: number,
    private readonly sink: EventSink,
  ) {
    const request = given;
    this.tokens = [...request.promptIds, ...(request.answered ?? [])];
    for (const token of request.answered ?? []) this.count(token);
    this.promptCounts = sampling.repetitionPenalty === 1 ? new Map() : countTokens(request.promptIds);
  }

  get request(): GenerateRequest {
    return this.given;
  }

  get id(): string {
    return this.request.id;
  }

  get user(): string {
    return this.request.user ?? '';
  }

  get priority(): number {
    return this.request.priority ?? 0;
  }

  get numDrawn(): number {
    return this.tokens.length - this.request.promptIds.length - this.numVirtual;
  }

  /** New tokens it may still get. */
  get tokensLeft(): number {
    return this.request.maxTokens - this.numDrawn;
  }

  /** Whether the prompt is read and a token drawn: each step now adds one. */
  get isDecoding(): boolean {
    return this.numDrawn > (this.request.answered?.length ?? 0);
  }

  /** @param served what the user was served so far */
  view(served: number): RunningView {
    const pending = this.tokens.length - this.computed;
    return { id: this.id, priority: this.priority, served, pending, decoding: this.isDecoding };
  }

  /** How its next token can be drawn where the logits are; null = it needs the logits. */
  get draw(): Draw | null {
    if (this.allowed() || this.request.topLogProbs || !isPlain(this.sampling)) return null;
    const { temperature, seed } = this.sampling;
    return { temperature, uniform: temperature === 0 ? 0 : uniformOf(seed, this.numDrawn) };
  }

  /** Whether it waited longer than its caller wants to. */
  isLate(now: number): boolean {
    const { startWithinMs } = this.request;
    return startWithinMs !== undefined && now - this.arrivedAt > startWithinMs;
  }

  /** Sets a soft prompt before the prompt. */
  precede(virtual: readonly number[]): void {
    this.tokens.unshift(...virtual);
    this.numVirtual = virtual.length;
  }

  begin(weights: ActiveWeights, slot: number, cached: number, now: number): void {
    this.weights = weights;
    weights.hold?.();
    this.slot = slot;
    this.computed = cached;
    this.cached = Math.max(0, cached - this.numVirtual);
    this.startedAt = now;
    const promptTokens = this.request.promptIds.length;
    this.sink({
      type: 'started',
      weights: weights.id,
      seed: this.sampling.seed,
      promptTokens,
      cachedTokens: this.cached,
      ...(this.healed && { healedToken: this.healed.token }),
    });
  }

  /** Holds the answer to a structure from here on. */
  follow(matcher: Matcher): void {
    for (const token of this.request.answered ?? []) matcher.accept(token);
    this.matcher = matcher;
  }

  /** Takes the last token off the prompt; the first of the answer stands in its place. */
  heal(healed: HealedPrompt): void {
    const { promptIds } = this.given;
    this.tokens.splice(promptIds.length - 1, 1);
    this.given = { ...this.given, promptIds: promptIds.slice(0, -1) };
    this.healed = healed;
  }

  /** The tokens that may come next; undefined = any. */
  allowed(): Int32Array | undefined {
    return this.matcher?.mask() ?? (this.numDrawn === 0 ? this.healed?.allowed : undefined);
  }

  /** Takes a drawn token into the answer. @returns why the sequence is over, if it is */
  append(event: TokenEvent, now: number): StopReason | null {
    this.firstTokenAt ??= now;
    this.tokens.push(event.token);
    this.count(event.token);
    this.matcher?.accept(event.token);
    this.sink(event);
    return this.numDrawn >= this.request.maxTokens ? 'length' : null;
  }

  private count(token: number) {
    this.answerCounts.set(token, (this.answerCounts.get(token) ?? 0) + 1);
  }

  isStop(token: number): boolean {
    return this.request.stopIds?.includes(token) ?? false;
  }

  end(reason: StopReason, now: number, more: Pick<FinishedEvent, 'error' | 'stopToken' | 'rejection'> = {}): void {
    this.matcher?.close();
    this.weights?.drop?.();
    const startedAt = this.startedAt ?? now;
    const firstTokenAt = this.firstTokenAt ?? now;
    this.sink({
      type: 'finished',
      reason,
      ...more,
      weights: this.weights?.id,
      promptTokens: this.request.promptIds.length,
      cachedTokens: this.cached,
      completionTokens: this.numDrawn,
      timings: {
        queuedMs: startedAt - this.arrivedAt,
        prefillMs: this.startedAt === undefined ? 0 : firstTokenAt - startedAt,
        decodeMs: now - firstTokenAt,
      },
    });
  }
}

function countTokens(tokens: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  return counts;
}
