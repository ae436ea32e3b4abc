import { BROKEN, DONE, MASK, type MatcherState, matcherStates, STATE } from './thread-protocol.js';
import type { GrammarMatcher } from './xgrammar.js';

/** A matcher whose mask always lies ready in shared memory. */
export class SharedMatcher {
  private readonly words: Int32Array;

  private constructor(
    private readonly matcher: GrammarMatcher,
    shared: SharedArrayBuffer,
    private readonly stopIds: readonly number[],
    private readonly endId: number,
  ) {
    this.words = new Int32Array(shared);
  }

  static async open(
    matcher: GrammarMatcher,
    shared: SharedArrayBuffer,
    stopIds: readonly number[],
    endId: number,
  ): Promise<SharedMatcher> {
    const opened = new SharedMatcher(matcher, shared, stopIds, endId);
    await opened.publish();
    return opened;
  }

  async accept(token: number): Promise<void> {
    this.matcher.acceptToken(token);
    await this.publish();
  }

  async rollback(count: number): Promise<void> {
    this.matcher.rollBack(count);
    await this.publish();
  }

  close(): void {
    this.matcher.dispose();
  }

  /** Tells the answer that it will get no more masks. */
  giveUp(): void {
    markBroken(this.words);
  }

  private async publish(): Promise<void> {
    const mask = await this.matcher.getNextTokenBitmask();
    this.words[STATE] = matcherStates.indexOf(settleEnd(mask, this.stopIds, this.endId));
    this.words.set(mask, MASK);
    Atomics.add(this.words, DONE, 1);
    Atomics.notify(this.words, DONE);
  }
}

export function markBroken(words: Int32Array): void {
  words[STATE] = BROKEN;
  Atomics.add(words, DONE, 1);
  Atomics.notify(words, DONE);
}

/**
 * Allows the stop tokens exactly where the answer may end.
 * @param endId the token the grammar ends with
 */
export function settleEnd(mask: Int32Array, stopIds: readonly number[], endId: number): MatcherState {
  const mayEnd = has(mask, endId);
  for (const token of [...stopIds, endId]) mask[token >> 5]! &= ~(1 << (token & 31));
  const canGoOn = mask.some((word) => word !== 0);
  if (mayEnd) for (const token of stopIds) mask[token >> 5]! |= 1 << (token & 31);
  if (canGoOn) return 'open';
  return mayEnd ? 'complete' : 'stuck';
}

const has = (mask: Int32Array, token: number) => ((mask[token >> 5]! >>> (token & 31)) & 1) === 1;
