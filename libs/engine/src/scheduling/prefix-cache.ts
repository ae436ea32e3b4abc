/** What lies in one slot of the KV cache. */
export interface SlotContent {
  /** Tokens whose keys and values are in the cache, from position 0. */
  readonly tokens: readonly number[];
  /** Digest of the weights that computed them; content of other weights is never used. */
  readonly weights: string | null;
  /** Whether a sequence runs in the slot. */
  readonly busy: boolean;
  /** When a sequence last ran in it; the longest idle slot is given away first. */
  readonly lastUsed: number;
}

export interface SlotChoice {
  readonly slot: number;
  /** Prompt tokens that need not be computed again. */
  readonly cached: number;
  /** Where to copy them from; null = they lie in the slot itself, or there are none. */
  readonly copyFrom: number | null;
}

/** A shorter match is not worth a copy or giving up a longer conversation. */
const WORTH_COPYING = 16;

/**
 * Finds a slot for a prompt: the longest prefix that the same weights have already computed is reused in place if it is
 * the whole of an idle slot, and copied if it is part of one or belongs to a running sequence (a system prompt, say).
 * @returns null when every slot is busy
 */
export function chooseSlot(
  slots: readonly SlotContent[],
  prompt: readonly number[],
  weights: string,
): SlotChoice | null {
  const target = longestIdle(slots);
  if (target === null) return null;
  const { slot: source, length } = longestMatch(slots, prompt, weights);
  if (length === 0) return { slot: target, cached: 0, copyFrom: null };
  const { busy, tokens } = slots[source]!;
  if (!busy && (source === target || tokens.length - length < WORTH_COPYING))
    return { slot: source, cached: length, copyFrom: null };
  if (length < WORTH_COPYING) return { slot: target, cached: 0, copyFrom: null };
  return { slot: target, cached: length, copyFrom: source };
}

function longestIdle(slots: readonly SlotContent[]): number | null {
  let best: number | null = null;
  slots.forEach(({ busy, lastUsed }, slot) => {
    if (!busy && (best === null || lastUsed < slots[best]!.lastUsed)) best = slot;
  });
  return best;
}

function longestMatch(slots: readonly SlotContent[], prompt: readonly number[], weights: string) {
  // The last prompt token is always computed: its logits start the answer.
  const most = prompt.length - 1;
  let best = { slot: 0, length: 0 };
  slots.forEach((content, slot) => {
    if (content.weights !== weights) return;
    let length = 0;
    while (length < most && length < content.tokens.length && content.tokens[length] === prompt[length]) length++;
    if (length > best.length) best = { slot, length };
  });
  return best;
}
