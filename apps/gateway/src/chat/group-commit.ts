/**
 * Writes that come while others are under way go together: one statement and one commit for all of them. Alone, a write
 * goes at once. When a batch fails each of its members is written alone, so that nobody pays for a neighbour's mistake.
 */
export class GroupCommit<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  private underWay = 0;

  /**
   * @param write all items or none; results in the items' order
   * @param lanes batches that may be under way at once
   */
  constructor(
    private readonly write: (items: Item[]) => Promise<Result[]>,
    private readonly lanes = 1,
    private readonly mostTogether = 256,
  ) {}

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      // Everybody whose request is read in this turn of the event loop goes along.
      if (this.waiting.length === 1) setImmediate(() => this.next());
    });
  }

  private next(): void {
    if (this.underWay >= this.lanes || this.waiting.length === 0) return;
    const batch = this.waiting.splice(0, this.mostTogether);
    this.underWay += 1;
    void this.commit(batch).finally(() => {
      this.underWay -= 1;
      this.next();
    });
    this.next();
  }

  private async commit(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.write(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => resolve(results[index]));
    } catch (error) {
      if (batch.length === 1) return batch[0].reject(error);
      await Promise.all(batch.map((one) => this.commit([one])));
    }
  }
}

interface Waiting<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}
