import { type Clock, InternalError, messageOf } from '@attune/platform';
import type { Adapters } from './adapters.js';
import type { ModelRunner } from './running/model-runner.js';
import { describeToken, sampleToken } from './sampling/sampler.js';
import { arrange, type DecodeRun, decodeRuns } from './scheduling/arrange.js';
import { admit, planStep } from './scheduling/scheduler.js';
import type { Sequence } from './sequence.js';
import { Slots } from './slots.js';
import type { StopReason } from './types.js';

/** All sequences under way, and the step that moves every one of them on. */
export class Batch {
  readonly counters = { steps: 0, promptTokens: 0, cachedTokens: 0, completionTokens: 0 };
  private readonly waiting = new Map<string, Sequence>();
  private readonly running = new Map<string, Sequence>();
  private readonly slots: Slots;

  constructor(
    private readonly runner: ModelRunner,
    private readonly adapters: Adapters,
    private readonly clock: Clock,
    private readonly tokenBudget: number,
  ) {
    this.slots = new Slots(runner.cache);
  }

  get numWaiting(): number {
    return this.waiting.size;
  }

  get numRunning(): number {
    return this.running.size;
  }

  add(sequence: Sequence): void {
    this.waiting.set(sequence.id, sequence);
  }

  find(id: string): Sequence | undefined {
    return this.waiting.get(id) ?? this.running.get(id);
  }

  cancelAll(): void {
    for (const sequence of this.all()) sequence.cancelled = true;
  }

  /** Moves everyone on; a step that breaks outside a run ends everyone, rather than leaving them to wait for ever. */
  async step(): Promise<void> {
    try {
      await this.planAndRun();
    } catch (error) {
      for (const sequence of this.all()) this.end(sequence, 'failed', { error: messageOf(error) });
    }
  }

  /** Plan, reserve, run, sample, commit. */
  private async planAndRun(): Promise<void> {
    this.counters.steps += 1;
    for (const sequence of this.all()) if (sequence.cancelled) this.end(sequence, 'cancelled');
    for (const sequence of this.running.values()) this.endCompleted(sequence);
    this.admitWaiting();
    const plan = planStep(
      [...this.running.values()].map((sequence) => sequence.view()),
      this.tokenBudget,
    );
    const decoding = plan.decode.map((id) => this.running.get(id)!);
    this.slots.exchange(arrange(decoding.map(placed)));
    for (const run of decodeRuns(decoding.map(placed))) await this.decode(run, decoding);
    for (const { id, count } of plan.prefill) await this.prefill(this.running.get(id)!, count);
  }

  /** Ends a structured answer to which no token can be added. */
  private endCompleted(sequence: Sequence) {
    const state = sequence.matcher?.state ?? 'open';
    if (state === 'complete') this.end(sequence, 'stop');
    if (state === 'stuck')
      this.end(sequence, 'failed', { error: 'no token of the model fits the structure here; change the structure' });
  }

  private all(): Sequence[] {
    return [...this.waiting.values(), ...this.running.values()];
  }

  private admitWaiting() {
    const waiting = [...this.waiting.values()].map(({ id, user }) => ({ id, user }));
    const users = [...this.running.values()].map(({ user }) => user);
    for (const id of admit(waiting, users, this.slots.numFree)) this.begin(this.waiting.get(id)!);
  }

  /** From here on the sequence's weights are fixed. */
  private begin(sequence: Sequence) {
    const { adapter } = sequence.request;
    const weights = adapter === undefined ? this.adapters.live : this.adapters.find(adapter);
    if (!weights)
      return this.end(sequence, 'rejected', {
        error: `adapter ${adapter} was unloaded meanwhile`,
        rejection: 'invalid',
      });
    const choice = this.slots.reserve(sequence, weights.id.digest)!;
    this.waiting.delete(sequence.id);
    this.running.set(sequence.id, sequence);
    this.counters.promptTokens += sequence.request.promptIds.length;
    this.counters.cachedTokens += choice.cached;
    sequence.begin(weights, choice.slot, choice.cached, this.clock.monotonicMs());
  }

  private async decode({ start, count }: DecodeRun, decoding: readonly Sequence[]) {
    const rows = decoding.filter(({ slot }) => slot >= start && slot < start + count).sort((a, b) => a.slot - b.slot);
    const tokens = rows.map((sequence) => sequence.tokens.at(-1)!);
    const lengths = rows.map(({ computed }) => computed);
    await this.guard(rows, async () => {
      const logits = await this.runner.decode(start, tokens, lengths, rows[0]!.weights!.prepared);
      const size = this.runner.config.vocabSize;
      for (const sequence of rows) sequence.computed += 1;
      rows.forEach((sequence, row) => this.advance(sequence, logits.subarray(row * size, (row + 1) * size)));
    });
  }

  private async prefill(sequence: Sequence, count: number) {
    const start = sequence.computed;
    const tokens = sequence.tokens.slice(start, start + count);
    const isLast = start + count === sequence.tokens.length;
    await this.guard([sequence], async () => {
      const logits = await this.runner.prefill(sequence.slot, tokens, start, sequence.weights!.prepared, isLast);
      sequence.computed += count;
      if (logits) this.advance(sequence, logits);
    });
  }

  /** Draws a sequence's next token from its logits [V]. */
  private advance(sequence: Sequence, logits: Float32Array) {
    const { request, sampling, promptCounts, answerCounts } = sequence;
    const allowed = sequence.matcher?.mask();
    const token = sampleToken(logits, { params: sampling, promptCounts, answerCounts, allowed }, sequence.numDrawn);
    if (Number.isNaN(logits[token])) throw new InternalError('the model computed NaN: its weights are damaged');
    const event = describeToken(logits, token, request.logProbs ?? false, request.topLogProbs ?? 0);
    if (sequence.isStop(token)) return this.end(sequence, 'stop', { stopToken: event });
    this.counters.completionTokens += 1;
    const reason = sequence.append(event, this.clock.monotonicMs());
    if (reason) this.end(sequence, reason);
  }

  /** A run that fails ends its own sequences and spoils their slots, and nothing else. */
  private async guard(sequences: readonly Sequence[], run: () => Promise<void>) {
    try {
      await run();
    } catch (error) {
      for (const sequence of sequences) {
        if (this.running.has(sequence.id)) this.end(sequence, 'failed', { error: messageOf(error) });
      }
    }
  }

  private end(sequence: Sequence, reason: StopReason, more: Parameters<Sequence['end']>[2] = {}) {
    this.waiting.delete(sequence.id);
    if (this.running.delete(sequence.id)) this.slots.free(sequence, reason !== 'failed');
    sequence.end(reason, this.clock.monotonicMs(), more);
  }
}

const placed = ({ slot, weights }: Sequence) => ({ slot, group: weights!.id.digest });
