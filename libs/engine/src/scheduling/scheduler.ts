/** What the scheduler knows of a sequence that has a slot. */
export interface RunningView {
  readonly id: string;
  /** Higher is read first. */
  readonly priority: number;
  /** Service its user had so far; less is read first. */
  readonly served: number;
  /** Tokens not yet in the KV cache. 1 once the prompt is done: the token drawn last. */
  readonly pending: number;
  readonly decoding: boolean;
}

export interface StepPlan {
  /** Sequences that get their next token, all in as few runs as possible. */
  readonly decode: readonly string[];
  /** Pieces of prompts, each a run of its own. */
  readonly prefill: readonly { readonly id: string; readonly count: number }[];
}

/**
 * One step: every decoding sequence moves by a token, then prompts are read as far as the budget goes, so that a long
 * prompt never holds back a running answer for longer than a budget's worth of tokens. Prompts of the user who had least
 * service go first: a short question does not wait behind another key's documents.
 * @param running in order of admission
 * @param prefillBudget tokens of prompts that a step with `numDecoding` decoding sequences may read
 */
export function planStep(running: readonly RunningView[], prefillBudget: (numDecoding: number) => number): StepPlan {
  const decode = running.filter(({ decoding }) => decoding).map(({ id }) => id);
  const reading = running
    .filter(({ decoding }) => !decoding)
    .toSorted((a, b) => b.priority - a.priority || a.served - b.served);
  const prefill: { id: string; count: number }[] = [];
  let left = prefillBudget(decode.length);
  for (const { id, pending } of reading) {
    if (left <= 0) break;
    const count = Math.min(pending, left);
    prefill.push({ id, count });
    left -= count;
  }
  return { decode, prefill };
}
