import type { SlotCache } from './running/runner.js';
import { chooseSlot, longestCached, type SlotChoice, type SlotContent } from './scheduling/prefix-cache.js';
import type { Swap } from './scheduling/arrange.js';
import type { Sequence } from './sequence.js';

interface Slot {
  sequence: Sequence | null;
  /** What an idle slot still holds of its last sequence. */
  tokens: readonly number[];
  weights: string | null;
  lastUsed: number;
  /** See `SlotContent`. */
  credit: number;
}

/** Which sequence has which slot of the KV cache, and what lies in the others. */
export class Slots {
  private readonly slots: Slot[];
  private uses = 0;

  constructor(private readonly cache: SlotCache) {
    this.slots = Array.from({ length: cache.shape.slots }, () => ({
      sequence: null,
      tokens: [],
      weights: null,
      lastUsed: 0,
      credit: 0,
    }));
  }

  get numFree(): number {
    return this.slots.filter(({ sequence }) => !sequence).length;
  }

  /** Tokens of a prompt that need not be computed, wherever they lie. */
  longestCached(tokens: readonly number[], weights: string): number {
    return longestCached(this.contents(), tokens, weights);
  }

  /** Reserves a slot for the whole length of a sequence and puts what is cached of its prompt there. */
  reserve(sequence: Sequence, weights: string): SlotChoice | null {
    const choice = chooseSlot(this.contents(), sequence.tokens, weights);
    if (!choice) return null;
    if (choice.copyFrom !== null) this.copy(choice.copyFrom, choice.slot, choice.cached);
    if (choice.lost > 0) for (const slot of this.slots) slot.credit = Math.max(0, slot.credit - choice.lost);
    Object.assign(this.slots[choice.slot]!, { sequence, tokens: [], weights, lastUsed: ++this.uses });
    return choice;
  }

  /** Gives the slot back; what the sequence computed stays for the next one with the same beginning. */
  free(sequence: Sequence, keep: boolean): void {
    const slot = this.slots[sequence.slot]!;
    const tokens = keep ? sequence.tokens.slice(0, sequence.computed) : [];
    const weights = keep ? slot.weights : null;
    Object.assign(slot, { sequence: null, tokens, weights, lastUsed: ++this.uses, credit: tokens.length });
  }

  /** Moves sequences and cached beginnings between slots. */
  exchange(swaps: readonly Swap[]): void {
    for (const [a, b] of swaps) {
      const contents = this.contents();
      this.cache.swap(a, b, Math.max(contents[a]!.length, contents[b]!.length));
      [this.slots[a], this.slots[b]] = [this.slots[b]!, this.slots[a]!];
      for (const slot of [a, b]) if (this.slots[slot]!.sequence) this.slots[slot]!.sequence!.slot = slot;
    }
  }

  /** Costs as much as is copied, whatever a slot could hold. What is copied is in demand: it counts as new. */
  private copy(from: number, to: number, length: number) {
    this.cache.copy(from, to, length);
    const source = this.slots[from]!;
    source.lastUsed = ++this.uses;
    source.credit = source.tokens.length;
  }

  private contents(): SlotContent[] {
    return this.slots.map(({ sequence, tokens, weights, lastUsed, credit }) => ({
      tokens: sequence ? sequence.tokens : tokens,
      length: sequence ? sequence.computed : tokens.length,
      weights,
      busy: sequence !== null,
      lastUsed,
      credit,
    }));
  }
}
