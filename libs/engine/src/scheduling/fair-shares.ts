/** An answer's token costs a step of its own; a prompt's shares one with many (Sheng et al. 2024, §3.1 use the same 2). */
const ANSWER_WEIGHT = 2;
/** Users remembered; far more than are ever active at once. */
const MOST_USERS = 10_000;

/**
 * How much service each user had, as the virtual token counters of Sheng et al. 2024 ("Fairness in Serving Large Language
 * Models", algorithm 2): whoever had least goes first, measured in tokens, so that long requests count for more. A user
 * who comes back from a pause is lifted to the least of those who are active, or pauses could be saved up.
 */
export class FairShares {
  private readonly served = new Map<string, number>();
  /** Requests waiting or running. */
  private readonly active = new Map<string, number>();

  /** A request of the user arrives. */
  arrive(user: string): void {
    const numActive = this.active.get(user) ?? 0;
    if (numActive === 0) this.lift(user);
    this.active.set(user, numActive + 1);
  }

  /** A request of the user is over. */
  leave(user: string): void {
    const numActive = this.active.get(user) ?? 0;
    if (numActive > 1) this.active.set(user, numActive - 1);
    else this.active.delete(user);
  }

  chargePrompt(user: string, tokens: number): void {
    this.served.set(user, this.of(user) + tokens);
  }

  chargeAnswer(user: string, tokens: number): void {
    this.served.set(user, this.of(user) + ANSWER_WEIGHT * tokens);
  }

  /** Comparable among users only. */
  of(user: string): number {
    return this.served.get(user) ?? 0;
  }

  private lift(user: string) {
    if (this.served.size >= MOST_USERS) this.forgetIdle();
    const least = Math.min(...[...this.active.keys()].map((other) => this.of(other)));
    if (Number.isFinite(least)) this.served.set(user, Math.max(this.of(user), least));
  }

  private forgetIdle() {
    for (const user of this.served.keys()) if (!this.active.has(user)) this.served.delete(user);
  }
}
