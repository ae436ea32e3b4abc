import { InternalError } from '@attune/platform';
import { BROKEN, DONE, MASK, type MatcherState, matcherStates, STATE } from './thread-protocol.js';

export interface MatcherCommands {
  accept(token: number): void;
  rollback(count: number): void;
  close(): void;
  /** Whether there is still a thread to do it. */
  alive(): boolean;
}

/** How long the model may be kept waiting for the masks of one answer. */
export interface WaitBudget {
  readonly lateMs: number;
  /** The wait that is late once too often. */
  readonly mostLate: number;
  readonly longestMs: number;
}

const WAIT_BUDGET: WaitBudget = { lateMs: 250, mostLate: 3, longestMs: 1_000 };
const TOO_SLOW = 'the structure takes too long to follow; make it simpler';

/**
 * Follows one answer through its grammar. The work is done by another thread as soon as a token is accepted, beside the
 * model's next run; `mask` waits only for what is still missing, some tens of microseconds at most.
 */
export class Matcher {
  /** Commands sent; opening is the first. */
  private sent = 1;
  private closed = false;
  private numLate = 0;

  constructor(
    private readonly words: Int32Array,
    private readonly commands: MatcherCommands,
    private readonly budget = WAIT_BUDGET,
  ) {}

  /**
   * Which tokens may come next: bit `t & 31` of word `t >> 5`. Stop tokens are among them where the answer may end.
   * Valid until the next `accept` or `rollback`.
   * @throws InternalError when masks come too late too often: the model, and all other answers, wait for them
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
    if (this.numLate >= this.budget.mostLate) throw new InternalError(TOO_SLOW);
    const started = performance.now();
    for (let done = this.done(); done < this.sent; done = this.done()) {
      if (!this.commands.alive()) throw new InternalError('the thread of a constrained answer ended; ask again');
      const left = this.budget.longestMs - (performance.now() - started);
      if (left > 0 && Atomics.wait(this.words, DONE, done, left) !== 'timed-out') continue;
      this.numLate = this.budget.mostLate;
      throw new InternalError(TOO_SLOW);
    }
    if (performance.now() - started <= this.budget.lateMs) return;
    this.numLate += 1;
    if (this.numLate >= this.budget.mostLate) throw new InternalError(TOO_SLOW);
  }

  /** Commands carried out. */
  private done(): number {
    const done = Atomics.load(this.words, DONE);
    if (this.words[STATE] === BROKEN) throw new InternalError('the structure could not be followed further; ask again');
    return done;
  }
}

/** Whether a mask allows a token. */
export const allows = (mask: Int32Array, token: number): boolean => ((mask[token >> 5]! >>> (token & 31)) & 1) === 1;
