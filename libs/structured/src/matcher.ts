import { InternalError } from '@attune/platform';
import { BROKEN, DONE, MASK, type MatcherState, matcherStates, STATE } from './thread-protocol.js';

export interface MatcherCommands {
  accept(token: number): void;
  rollback(count: number): void;
  close(): void;
  /** Whether there is still a thread to do it. */
  alive(): boolean;
  /** Takes a thread that answers no more out of service; what others follow on it ends, and may be asked again. */
  hangs(): void;
}

/** An answer whose next mask takes longer than this ends: it holds a place that others want. */
const LONGEST_WAIT_MS = 5_000;
const TOO_SLOW = 'the structure takes too long to follow; make it simpler';

/**
 * Follows one answer through its grammar. The work is done by another thread as soon as a token is accepted, in some tens
 * of microseconds as a rule; whoever has something else to do meanwhile asks `isReady` first.
 */
export class Matcher {
  /** Commands sent; opening is the first. */
  private sent = 1;
  private closed = false;
  private tooSlow = false;
  private askedAt = performance.now();

  /** @param longestMs how long a mask may take */
  constructor(
    private readonly words: Int32Array,
    private readonly commands: MatcherCommands,
    private readonly longestMs = LONGEST_WAIT_MS,
  ) {}

  /**
   * Whether the mask is there that follows everything accepted; blocks this thread for at most `patienceMs`.
   * @throws InternalError when it will never come, or takes longer than it may
   */
  isReady(patienceMs: number): boolean {
    const until = performance.now() + patienceMs;
    for (let done = this.done(); done < this.sent; done = this.done()) {
      if (this.tooSlow) throw new InternalError(TOO_SLOW);
      if (!this.commands.alive()) throw new InternalError('the thread of a constrained answer ended; ask again');
      const now = performance.now();
      if (now - this.askedAt >= this.longestMs) this.giveUp();
      if (now >= until) return false;
      Atomics.wait(this.words, DONE, done, Math.min(until, this.askedAt + this.longestMs) - now);
    }
    return true;
  }

  /**
   * Which tokens may come next: bit `t & 31` of word `t >> 5`. Stop tokens are among them where the answer may end.
   * Valid until the next `accept` or `rollback`. Waits for what `isReady` says is not there.
   * @throws InternalError as `isReady`
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
    this.ask();
    this.commands.accept(token);
  }

  /** Takes back the last `count` accepted tokens. */
  rollback(count: number): void {
    if (count === 0) return;
    this.ask();
    this.commands.rollback(count);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.commands.close();
  }

  /** The thread may never come back from this mask, and whoever comes next would wait for it as well. */
  private giveUp(): never {
    this.tooSlow = true;
    this.commands.hangs();
    throw new InternalError(TOO_SLOW);
  }

  private ask(): void {
    this.sent += 1;
    this.askedAt = performance.now();
  }

  private catchUp(): void {
    this.isReady(Infinity);
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
