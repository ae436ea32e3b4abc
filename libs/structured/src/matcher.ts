import { InternalError } from '@attune/platform';
import { DONE, MASK, type MatcherState, matcherStates, STATE } from './thread-protocol.js';

export interface MatcherCommands {
  accept(token: number): void;
  rollback(count: number): void;
  close(): void;
  /** Whether there is still a thread to do it. */
  alive(): boolean;
}

/** Far beyond any mask; only a dead thread takes so long. */
const LONGEST_WAIT_MS = 5_000;

/**
 * Follows one answer through its grammar. The work is done by another thread as soon as a token is accepted, beside the
 * model's next run; `mask` waits only for what is still missing, some tens of microseconds at most.
 */
export class Matcher {
  /** Commands sent; opening is the first. */
  private sent = 1;
  private closed = false;

  constructor(
    private readonly words: Int32Array,
    private readonly commands: MatcherCommands,
  ) {}

  /**
   * Which tokens may come next: bit `t & 31` of word `t >> 5`. Stop tokens are among them where the answer may end.
   * Valid until the next `accept` or `rollback`.
   */
  mask(): Int32Array {
    this.catchUp();
    return this.words.subarray(MASK);
  }

  /** Whether more can follow (`open`), only the end can (`complete`), or no token at all fits (`stuck`). */
  get state(): MatcherState {
    this.catchUp();
    return matcherStates[this.words[STATE]!]!;
  }

  get isTerminated(): boolean {
    return this.state === 'complete';
  }

  /** Moves on by a token of the mask that is no stop token. */
  accept(token: number): void {
    this.sent += 1;
    this.commands.accept(token);
  }

  /** Takes back the last `count` accepted tokens. */
  rollback(count: number): void {
    if (count === 0) return;
    this.sent += 1;
    this.commands.rollback(count);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.commands.close();
  }

  private catchUp(): void {
    for (let done = Atomics.load(this.words, DONE); done < this.sent; done = Atomics.load(this.words, DONE)) {
      if (!this.commands.alive() || Atomics.wait(this.words, DONE, done, LONGEST_WAIT_MS) === 'timed-out')
        throw new InternalError('the mask of a constrained answer did not come in time; ask again');
    }
  }
}

/** Whether a mask allows a token. */
export const allows = (mask: Int32Array, token: number): boolean => ((mask[token >> 5]! >>> (token & 31)) & 1) === 1;
