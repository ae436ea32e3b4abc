import type { Adapters } from '../adapters.js';
import { virtualTokens } from '../adapters-prepared.js';
import type { Runner } from '../running/runner.js';
import { admissionOrder } from '../scheduling/admission.js';
import { worthWaitingFor } from '../scheduling/prompt-sharing.js';
import type { ActiveWeights, Sequence } from '../sequence.js';
import type { Roster } from './roster.js';

/** Lets those who wait into the free slots, and ends those who cannot be let in. */
export class Admission {
  constructor(
    private readonly roster: Roster,
    private readonly runner: Pick<Runner, 'cache' | 'config'>,
    private readonly adapters: Adapters,
  ) {}

  /** Fills the free slots, one by one: each start changes who is next. */
  admit(): void {
    this.refuseLate();
    for (let next = this.next(); next; next = this.next()) this.begin(next);
  }

  private refuseLate(): void {
    const now = this.roster.clock.monotonicMs();
    for (const sequence of this.roster.waiting.values()) {
      if (!sequence.isLate(now)) continue;
      const error = `the request waited for ${sequence.request.startWithinMs} ms, the longest it may; try again shortly`;
      this.roster.end(sequence, 'rejected', { error, rejection: 'late' });
    }
  }

  private next(): Sequence | undefined {
    const { waiting, running, slots, shares, recent } = this.roster;
    const order = admissionOrder([...waiting.values()], {
      freeSlots: slots.numFree,
      slots: this.runner.cache.shape.slots,
      runningUsers: [...running.values()].map(({ user }) => user),
      othersAbout: (users) => recent.others(users),
      served: (user) => shares.of(user),
    });
    return order.find((sequence) => !this.waitsForPrompt(sequence));
  }

  /** Whether a prompt like this one is being read, so that starting now would read it twice. */
  private waitsForPrompt(sequence: Sequence): boolean {
    const known = sequence.waitsFor;
    if (known && this.isReading(known.sequence) && known.sequence.computed < known.until) return true;
    sequence.waitsFor = null;
    const weights = this.weightsFor(sequence)?.id.digest;
    const reading = [...this.roster.running.values()].filter((other) => this.isReading(other));
    if (!weights || reading.length === 0) return false;
    const cached = this.roster.slots.longestCached(sequence.tokens, weights);
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
    return this.roster.running.has(sequence.id) && !sequence.cancelled && !sequence.isDecoding;
  }

  private weightsFor({ request }: Sequence): ActiveWeights | undefined {
    return request.adapter === undefined ? this.adapters.live : this.adapters.find(request.adapter);
  }

  private begin(sequence: Sequence): void {
    const weights = this.weightsFor(sequence);
    if (!weights) return this.refuse(sequence, `adapter ${sequence.request.adapter} was unloaded meanwhile`);
    sequence.precede(virtualTokens(weights.prepared, this.runner.config.vocabSize));
    const problem = this.lackOfRoom(sequence, weights);
    if (problem) return this.refuse(sequence, problem);
    this.roster.begin(sequence, weights);
  }

  private refuse(sequence: Sequence, error: string): void {
    this.roster.end(sequence, 'rejected', { error, rejection: 'invalid' });
  }

  /** What a soft prompt takes is known only now. */
  private lackOfRoom({ request, numVirtual }: Sequence, { id }: ActiveWeights): string | null {
    const room = this.runner.cache.shape.maxSeq - numVirtual;
    if (request.promptIds.length + request.maxTokens <= room) return null;
    return `adapter ${id.adapter} puts ${numVirtual} tokens before the prompt, which leaves room for ${room}; lower maxTokens or shorten the prompt`;
  }
}
