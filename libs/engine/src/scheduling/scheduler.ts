/** What the scheduler knows of a sequence that has a slot. */
export interface RunningView {
  readonly id: string;
  readonly user: string;
  /** Tokens not yet in the KV cache. 1 once the prompt is done: the token drawn last. */
  readonly pending: number;
  readonly decoding: boolean;
}

/** What the scheduler knows of a request that waits for a slot; listed in order of arrival. */
export interface WaitingView {
  readonly id: string;
  readonly user: string;
}

export interface StepPlan {
  /** Sequences that get their next token, all in as few runs as possible. */
  readonly decode: readonly string[];
  /** Pieces of prompts, each a run of its own. */
  readonly prefill: readonly { readonly id: string; readonly count: number }[];
}

/**
 * One step: every decoding sequence moves by a token, then prompts are read in order of admission as far as the budget
 * goes, so that a long prompt never holds back a running answer for longer than a budget's worth of tokens.
 * @param running in order of admission
 */
export function planStep(running: readonly RunningView[], tokenBudget: number): StepPlan {
  const decode = running.filter(({ decoding }) => decoding).map(({ id }) => id);
  const prefill: { id: string; count: number }[] = [];
  let left = tokenBudget - decode.length;
  for (const { id, pending, decoding } of running) {
    if (decoding || left <= 0) continue;
    const count = Math.min(pending, left);
    prefill.push({ id, count });
    left -= count;
  }
  return { decode, prefill };
}

/**
 * Who gets the free slots: the user with the fewest sequences running goes first, and among equals whoever waited
 * longest, so that one user's burst cannot shut the others out.
 */
export function admit(waiting: readonly WaitingView[], runningUsers: readonly string[], freeSlots: number): string[] {
  const load = new Map<string, number>();
  for (const user of runningUsers) load.set(user, (load.get(user) ?? 0) + 1);
  const queue = [...waiting];
  const admitted: string[] = [];
  while (admitted.length < freeSlots && queue.length > 0) {
    const loads = queue.map(({ user }) => load.get(user) ?? 0);
    const [next] = queue.splice(loads.indexOf(Math.min(...loads)), 1);
    load.set(next!.user, (load.get(next!.user) ?? 0) + 1);
    admitted.push(next!.id);
  }
  return admitted;
}
