import { type Clock, InternalError, messageOf } from '@attune/platform';
import type { Adapters } from './adapters.js';
import { virtualTokens } from './adapters-prepared.js';
import { Masks } from './masks.js';
import type { Runner } from './running/runner.js';
import { describeToken, sampleToken } from './sampling/sampler.js';
import { arrange, type DecodeRun, decodeRuns } from './scheduling/arrange.js';
import { admissionOrder } from './scheduling/admission.js';
import { ChunkBudget, type ChunkLimits } from './scheduling/chunk-budget.js';
import { FairShares } from './scheduling/fair-shares.js';
import { worthWaitingFor } from './scheduling/prompt-sharing.js';
import { RecentUsers } from './scheduling/recent-users.js';
import { planStep } from './scheduling/scheduler.js';
import type { ActiveWeights, Sequence } from './sequence.js';
import type { Speculator } from './speculation/speculator.js';
import { Slots } from './slots.js';
import type { StopReason, TokenEvent } from './types.js';

/** All sequences under way, and the step that moves every one of them on. */
export class Batch {
  readonly counters = { steps: 0, promptTokens: 0, cachedTokens: 0, completionTokens: 0 };
  private readonly waiting = new Map<string, Sequence>();
  private readonly running = new Map<string, Sequence>();
  private readonly slots: Slots;
  private readonly shares = new FairShares();
  private readonly recent: RecentUsers;
  private readonly chunks: ChunkBudget;
  private readonly masks: Masks<Sequence>;

  constructor(
    private readonly runner: Runner,
    private readonly adapters: Adapters,
    private readonly clock: Clock,
    limits: ChunkLimits,
    private readonly speculator: Speculator | null,
  ) {
    this.recent = new RecentUsers(() => clock.monotonicMs());
    this.chunks = new ChunkBudget(limits);
    this.slots = new Slots(runner.cache);
    this.masks = new Masks(clock, (sequence, error) => this.fail(sequence, error));
  }

  get numWaiting(): number {
    return this.waiting.size;
  }

  get numRunning(): number {
    return this.running.size;
  }

  add(sequence: Sequence): void {
    this.waiting.set(sequence.id, sequence);
    this.shares.arrive(sequence.user);
    this.recent.see(sequence.user);
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
    const now = this.clock.monotonicMs();
    for (const sequence of this.waiting.values()) if (sequence.isLate(now)) this.refuseLate(sequence);
    for (const sequence of this.masks.able([...this.running.values()]))
      this.alone(sequence, () => this.endCompleted(sequence));
    this.admitWaiting();
    // A mask that came only now may say that its answer is over: that is for the next step to see.
    const able = this.masks.able([...this.running.values()]).filter((sequence) => this.isOpen(sequence));
    const plan = planStep(
      able.map((sequence) => sequence.view(this.shares.of(sequence.user))),
      (numDecoding) => this.chunks.tokens(numDecoding),
    );
    const decoding = plan.decode.map((id) => this.running.get(id)!);
    this.slots.exchange(arrange(decoding.map(placed)));
    for (const run of decodeRuns(decoding.map(placed))) await this.decode(run, decoding);
    for (const { id, count } of plan.prefill) await this.prefill(this.running.get(id)!, count);
  }

  /** Whether a token can be added. */
  private isOpen(sequence: Sequence): boolean {
    let isOpen = false;
    this.alone(sequence, () => (isOpen = (sequence.matcher?.state ?? 'open') === 'open'));
    return isOpen;
  }

  private refuseLate(sequence: Sequence) {
    const error = `the request waited for ${sequence.request.startWithinMs} ms, the longest it may; try again shortly`;
    this.end(sequence, 'rejected', { error, rejection: 'late' });
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

  /** Fills the free slots, one by one: each start changes who is next. */
  private admitWaiting() {
    for (;;) {
      const runningUsers = [...this.running.values()].map(({ user }) => user);
      const order = admissionOrder([...this.waiting.values()], {
        freeSlots: this.slots.numFree,
        slots: this.runner.cache.shape.slots,
        runningUsers,
        othersAbout: (users) => this.recent.others(users),
        served: (user) => this.shares.of(user),
      });
      const next = order.find((sequence) => !this.waitsForPrompt(sequence));
      if (!next) return;
      this.begin(next);
    }
  }

  /** Whether a prompt like this one is being read, so that starting now would read it twice. */
  private waitsForPrompt(sequence: Sequence): boolean {
    const known = sequence.waitsFor;
    if (known && this.isReading(known.sequence) && known.sequence.computed < known.until) return true;
    sequence.waitsFor = null;
    const weights = this.weightsFor(sequence)?.id.digest;
    const reading = [...this.running.values()].filter((other) => this.isReading(other));
    if (!weights || reading.length === 0) return false;
    const cached = this.slots.longestCached(sequence.tokens, weights);
    const views = reading.map((other) => ({
      tokens: other.tokens,
      computed: other.computed,
      weights: other.weights!.id.digest,
      sequence: other,
    }));
    const worth = worthWaitingFor(sequence.tokens, weights, cached, views);
    sequence.waitsFor = worth && { sequence: worth.sequence.sequence, until: worth.until };
    return worth !== null;
  }

  private isReading(sequence: Sequence): boolean {
    return this.running.has(sequence.id) && !sequence.cancelled && !sequence.isDecoding;
  }

  private weightsFor({ request }: Sequence): ActiveWeights | undefined {
    return request.adapter === undefined ? this.adapters.live : this.adapters.find(request.adapter);
  }

  /** From here on the sequence's weights are fixed. */
  private begin(sequence: Sequence) {
    const weights = this.weightsFor(sequence);
    if (!weights) {
      const error = `adapter ${sequence.request.adapter} was unloaded meanwhile`;
      return this.end(sequence, 'rejected', { error, rejection: 'invalid' });
    }
    sequence.precede(virtualTokens(weights.prepared, this.runner.config.vocabSize));
    const problem = this.lackOfRoom(sequence, weights);
    if (problem) return this.end(sequence, 'rejected', { error: problem, rejection: 'invalid' });
    const choice = this.slots.reserve(sequence, weights.id.digest)!;
    this.waiting.delete(sequence.id);
    this.running.set(sequence.id, sequence);
    this.counters.promptTokens += sequence.request.promptIds.length;
    this.counters.cachedTokens += choice.cached;
    this.shares.chargePrompt(sequence.user, sequence.tokens.length - choice.cached);
    sequence.begin(weights, choice.slot, choice.cached, this.clock.monotonicMs());
  }

  /** What a soft prompt takes is known only now. */
  private lackOfRoom({ request, numVirtual }: Sequence, { id }: ActiveWeights): string | null {
    const room = this.runner.cache.shape.maxSeq - numVirtual;
    if (request.promptIds.length + request.maxTokens <= room) return null;
    return `adapter ${id.adapter} puts ${numVirtual} tokens before the prompt, which leaves room for ${room}; lower maxTokens or shorten the prompt`;
  }

  private async decode({ start, count }: DecodeRun, decoding: readonly Sequence[]) {
    const rows = decoding.filter(({ slot }) => slot >= start && slot < start + count).sort((a, b) => a.slot - b.slot);
    if (rows.length === 1 && (await this.speculate(rows[0]!))) return;
    const tokens = rows.map((sequence) => sequence.tokens.at(-1)!);
    const lengths = rows.map(({ computed }) => computed);
    await this.guard(rows, async () => {
      const adapters = rows.map(preparedOf);
      const draws = this.runner.decodeDrawn ? rows.map(({ draw }) => draw) : [];
      if (this.runner.decodeDrawn && draws.every((draw) => draw !== null)) {
        const drawn = await this.runner.decodeDrawn(start, tokens, lengths, adapters, draws);
        return rows.forEach((sequence, row) => this.takeDrawn(sequence, drawn.tokens[row]!, drawn.logProbs[row]!));
      }
      const logits = await this.runner.decode(start, tokens, lengths, adapters);
      const size = this.runner.config.vocabSize;
      for (const sequence of rows) sequence.computed += 1;
      rows.forEach((sequence, row) => this.advance(sequence, logits.subarray(row * size, (row + 1) * size)));
    });
  }

  /**
   * Has the model check a draft of the next tokens in one run, for a sequence that runs alone. Each token is drawn as
   * always, from its own logits and random number; the first that differs from the draft ends it.
   * @returns false when there is nothing to check
   */
  private async speculate(sequence: Sequence): Promise<boolean> {
    const draft = this.speculator?.draft(sequence) ?? [];
    if (draft.length === 0) return false;
    const tokens = [sequence.tokens.at(-1)!, ...draft];
    await this.guard([sequence], async () => {
      const logits = await this.runner.verify(sequence.slot, tokens, sequence.computed, preparedOf(sequence));
      const size = this.runner.config.vocabSize;
      let accepted = 0;
      for (; accepted < tokens.length; accepted++) {
        sequence.computed += 1;
        this.advance(sequence, logits.subarray(accepted * size, (accepted + 1) * size));
        if (!this.canGoOn(sequence) || sequence.tokens.at(-1) !== draft[accepted]) break;
      }
      this.speculator!.learn(sequence, draft.length, accepted);
    });
    return true;
  }

  /** Whether the next token can be drawn at once: a mask that is late leaves the rest of a draft unchecked. */
  private canGoOn(sequence: Sequence): boolean {
    if (!this.running.has(sequence.id)) return false;
    return this.masks.has(sequence) && this.isOpen(sequence);
  }

  private async prefill(sequence: Sequence, planned: number) {
    await this.guard([sequence], async () => {
      const end = sequence.computed + planned;
      await this.placeSoftPrompt(sequence);
      const start = sequence.computed;
      const count = end - start;
      if (count <= 0) return;
      const tokens = sequence.tokens.slice(start, end);
      const isLast = end === sequence.tokens.length;
      const startedAt = this.clock.monotonicMs();
      const logits = await this.runner.prefill(sequence.slot, tokens, start, preparedOf(sequence), isLast);
      this.chunks.observe(count, this.clock.monotonicMs() - startedAt);
      sequence.computed += count;
      if (logits) this.advance(sequence, logits);
    });
  }

  private async placeSoftPrompt(sequence: Sequence) {
    const prepared = preparedOf(sequence);
    if (prepared?.kind !== 'soft-prompt' || sequence.computed >= sequence.numVirtual) return;
    await this.runner.placeSoftPrompt(sequence.slot, prepared);
    sequence.computed = sequence.numVirtual;
  }

  /** Draws a sequence's next token from its logits [V]; one that cannot follow its structure ends by itself. */
  private advance(sequence: Sequence, logits: Float32Array) {
    this.alone(sequence, () => this.draw(sequence, logits));
  }

  private draw(sequence: Sequence, logits: Float32Array) {
    const { request, sampling, promptCounts, answerCounts } = sequence;
    const allowed = sequence.allowed();
    const token = sampleToken(logits, { params: sampling, promptCounts, answerCounts, allowed }, sequence.numDrawn);
    assertSound(logits[token]!);
    this.take(sequence, describeToken(logits, token, request.logProbs ?? false, request.topLogProbs ?? 0));
  }

  /** Takes a token that was drawn where the logits are. */
  private takeDrawn(sequence: Sequence, token: number, logProb: number) {
    this.alone(sequence, () => {
      assertSound(logProb);
      sequence.computed += 1;
      this.take(sequence, { type: 'token', token, ...(sequence.request.logProbs && { logProb }) });
    });
  }

  private take(sequence: Sequence, event: TokenEvent) {
    const { token } = event;
    if (sequence.isStop(token)) return this.end(sequence, 'stop', { stopToken: event });
    this.counters.completionTokens += 1;
    this.shares.chargeAnswer(sequence.user, 1);
    const reason = sequence.append(event, this.clock.monotonicMs());
    if (reason) this.end(sequence, reason);
  }

  /** A run that fails ends its own sequences and spoils their slots, and nothing else. */
  private async guard(sequences: readonly Sequence[], run: () => Promise<void>) {
    try {
      await run();
    } catch (error) {
      for (const sequence of sequences) this.fail(sequence, error);
    }
  }

  /** What goes wrong with one answer ends that one, not those it shares a run with. */
  private alone(sequence: Sequence, work: () => void) {
    try {
      work();
    } catch (error) {
      this.fail(sequence, error);
    }
  }

  private fail(sequence: Sequence, error: unknown) {
    if (this.running.has(sequence.id)) this.end(sequence, 'failed', { error: messageOf(error) });
  }

  private end(sequence: Sequence, reason: StopReason, more: Parameters<Sequence['end']>[2] = {}) {
    this.shares.leave(sequence.user);
    this.waiting.delete(sequence.id);
    if (this.running.delete(sequence.id)) this.slots.free(sequence, reason !== 'failed');
    sequence.end(reason, this.clock.monotonicMs(), more);
  }
}

function assertSound(logit: number) {
  if (Number.isNaN(logit)) throw new InternalError('the model computed NaN: its weights are damaged');
}

const preparedOf = ({ weights }: Sequence) => weights!.prepared;

/** All weights can share a run but merged ones, which are a model of their own. */
const placed = ({ slot, weights }: Sequence) => ({
  slot,
  group: weights!.prepared?.kind === 'merged' ? weights!.id.digest : 'base and adapters',
});
