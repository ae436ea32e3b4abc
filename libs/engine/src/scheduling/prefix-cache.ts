import { commonPrefix } from './prompt-sharing.js';

/** What lies in one slot of the KV cache. */
export interface SlotContent {
  readonly tokens: readonly number[];
  /** How many of the tokens have their keys and values in the cache, from position 0. */
  readonly length: number;
  /** Digest of the weights that computed them; content of other weights is never used. */
  readonly weights: string | null;
  /** Whether a sequence runs in the slot. */
  readonly busy: boolean;
  /** When a sequence last ran in it. */
  readonly lastUsed: number;
  /** What keeping the content is still worth, in tokens that would have to be computed again. */
  readonly credit: number;
}

export interface SlotChoice {
  readonly slot: number;
  /** Prompt tokens that need not be computed again. */
  readonly cached: number;
  /** Where to copy them from; null = they lie in the slot itself, or there are none. */
  readonly copyFrom: number | null;
  /** Credit that is given up with the slot's content; every other idle slot loses as much. */
  readonly lost: number;
}

/** A shorter match is not worth a copy. */
const WORTH_COPYING = 16;
/** Computing a token again takes at least so many times as long as copying its keys and values. */
const COPY_SHARE = 1 / 32;

/**
 * Finds a slot for a prompt. The longest beginning that the same weights have computed is reused: in place if little else
 * is lost with the slot, copied otherwise (a system prompt or a passage that many share, or a running sequence's).
 * The slot given away is the idle one whose content is worth least (GreedyDual, Young 1994: worth is the tokens it saves,
 * and ages with all that is evicted), so that short prompts go before a long conversation, but not for ever.
 * @returns null when every slot is busy
 */
export function chooseSlot(
  slots: readonly SlotContent[],
  prompt: readonly number[],
  weights: string,
): SlotChoice | null {
  const matches = slots.map((slot) => matchLength(slot, prompt, weights));
  const longest = Math.max(...matches);
  const source = matches.indexOf(longest);
  let best: (SlotChoice & { readonly cost: number; readonly lastUsed: number }) | null = null;
  slots.forEach(({ busy, credit, lastUsed }, slot) => {
    if (busy) return;
    const inPlace = matches[slot] === longest;
    const copies = !inPlace && longest >= WORTH_COPYING;
    const cached = inPlace || copies ? longest : matches[slot]!;
    const lost = Math.max(0, credit - matches[slot]!);
    const cost = lost + (longest - cached) + (copies ? longest * COPY_SHARE : 0);
    if (best && (best.cost < cost || (best.cost === cost && best.lastUsed <= lastUsed))) return;
    best = { slot, cached, copyFrom: copies ? source : null, lost, cost, lastUsed };
  });
  if (!best) return null;
  const { slot, cached, copyFrom, lost } = best as SlotChoice;
  return { slot, cached, copyFrom, lost };
}

/** Prompt tokens the slots hold already, whether or not one is free. */
export function longestCached(slots: readonly SlotContent[], prompt: readonly number[], weights: string): number {
  return Math.max(0, ...slots.map((slot) => matchLength(slot, prompt, weights)));
}

function matchLength(content: SlotContent, prompt: readonly number[], weights: string): number {
  if (content.weights !== weights) return 0;
  // The last prompt token is always computed: its logits start the answer.
  return commonPrefix(prompt, content.tokens, Math.min(prompt.length - 1, content.length));
}
