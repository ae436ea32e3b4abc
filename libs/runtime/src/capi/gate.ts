/** Lets at most `limit` tasks through at once; the others wait their turn. */
export class Gate {
  private inside = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly limit: number) {}

  get isEmpty(): boolean {
    return this.inside === 0;
  }

  /** Does something short and blocking: at once when nobody is inside, so that it is over when this returns. */
  soon(task: () => void): void {
    if (this.isEmpty) task();
    else void this.through(async () => task());
  }

  async through<T>(task: () => Promise<T>): Promise<T> {
    if (this.inside >= this.limit) await new Promise<void>((enter) => this.waiting.push(enter));
    else this.inside += 1;
    try {
      return await task();
    } finally {
      // The place passes directly to the next in line, so that nobody overtakes.
      const next = this.waiting.shift();
      if (next) next();
      else this.inside -= 1;
    }
  }
}
