import type { KvCache } from './running/kv-cache.js';
import { chooseSlot, type SlotChoice, type SlotContent } from './scheduling/prefix-cache.js';
import type { Swap } from './scheduling/arrange.js';
import type { Sequence } from './sequence.js';

interface Slot {
  sequence: Sequence | null;
  /** What an idle slot still holds of its last sequence. */
  tokens: readonly number[];
  weights: string | null;
  lastUsed: number;
}

/** Which sequence has which slot of the KV cache, and what lies in the others. */
export class Slots {
  private readonly slots: Slot[];
  private uses = 0;

  constructor(private readonly cache: KvCache) {
    this.slots = Array.from({ length: cache.shape.slots }, () => ({
      sequence: null,
      tokens: [],
      weights: null,
      lastUsed: 0,
    }));
  }

  get numFree(): number {
    return this.slots.filter(({ sequence }) => !sequence).length;
  }

  /** Reserves a slot for the whole length of a sequence and puts what is cached of its prompt there. */
  reserve(sequence: Sequence, weights: string): SlotChoice | null {
    const choice = chooseSlot(this.contents(), sequence.tokens, weights);
    if (!choice) return null;
    if (choice.copyFrom !== null) this.cache.copy(choice.copyFrom, choice.slot, choice.cached);
    Object.assign(this.slots[choice.slot]!, { sequence, tokens: [], weights, lastUsed: ++this.uses });
    return choice;
  }

  /** Gives the slot back; what the sequence computed stays for the next one with the same beginning. */
  free(sequence: Sequence, keep: boolean): void {
    const slot = this.slots[sequence.slot]!;
    const tokens = keep ? sequence.tokens.slice(0, sequence.computed) : [];
    Object.assign(slot, { sequence: null, tokens, weights: keep ? slot.weights : null, lastUsed: ++this.uses });
  }

  /** Moves sequences and cached beginnings between slots. */
  exchange(swaps: readonly Swap[]): void {
    for (const [a, b] of swaps) {
      const contents = this.contents();
      this.cache.swap(a, b, Math.max(contents[a]!.tokens.length, contents[b]!.tokens.length));
      [this.slots[a], this.slots[b]] = [this.slots[b]!, this.slots[a]!];
      for (const slot of [a, b]) if (this.slots[slot]!.sequence) this.slots[slot]!.sequence!.slot = slot;
    }
  }

  private contents(): SlotContent[] {
    return this.slots.map(({ sequence, tokens, weights, lastUsed }) => ({
      tokens: sequence ? sequence.tokens.slice(0, sequence.computed) : tokens,
      weights,
      busy: sequence !== null,
      lastUsed,
    }));
  }
}
