import { type Clock, messageOf } from '@attune/platform';
import type { SlotCache } from '../running/runner.js';
import { FairShares } from '../scheduling/fair-shares.js';
import { RecentUsers } from '../scheduling/recent-users.js';
import type { ActiveWeights, Sequence } from '../sequence.js';
import { Slots } from '../slots.js';
import type { StopReason } from '../types.js';

/** Who waits and who has a slot, and what everyone was given. */
export class Roster {
  readonly counters = { steps: 0, promptTokens: 0, cachedTokens: 0, completionTokens: 0 };
  readonly waiting = new Map<string, Sequence>();
  readonly running = new Map<string, Sequence>();
  readonly slots: Slots;
  readonly shares = new FairShares();
  readonly recent: RecentUsers;

  constructor(
    cache: SlotCache,
    readonly clock: Clock,
  ) {
    this.slots = new Slots(cache);
    this.recent = new RecentUsers(() => clock.monotonicMs());
  }

  get all(): Sequence[] {
    return [...this.waiting.values(), ...this.running.values()];
  }

  find(id: string): Sequence | undefined {
    return this.waiting.get(id) ?? this.running.get(id);
  }

  add(sequence: Sequence): void {
    this.waiting.set(sequence.id, sequence);
    this.shares.arrive(sequence.user);
    this.recent.see(sequence.user);
  }

  /** Gives a waiting sequence a free slot; from here on its weights are fixed. */
  begin(sequence: Sequence, weights: ActiveWeights): void {
    const choice = this.slots.reserve(sequence, weights.id.digest)!;
    this.waiting.delete(sequence.id);
    this.running.set(sequence.id, sequence);
    this.counters.promptTokens += sequence.request.promptIds.length;
    this.counters.cachedTokens += choice.cached;
    this.shares.chargePrompt(sequence.user, sequence.tokens.length - choice.cached);
    sequence.begin(weights, choice.slot, choice.cached, this.clock.monotonicMs());
  }

  end(sequence: Sequence, reason: StopReason, more: Parameters<Sequence['end']>[2] = {}): void {
    this.shares.leave(sequence.user);
    this.waiting.delete(sequence.id);
    if (this.running.delete(sequence.id)) this.slots.free(sequence, reason !== 'failed');
    sequence.end(reason, this.clock.monotonicMs(), more);
  }

  fail(sequence: Sequence, error: unknown): void {
    if (this.running.has(sequence.id)) this.end(sequence, 'failed', { error: messageOf(error) });
  }

  /** What goes wrong with one answer ends that one, not those it shares a run with. */
  alone(sequence: Sequence, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(sequence, error);
    }
  }
}
