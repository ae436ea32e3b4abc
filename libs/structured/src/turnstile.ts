/** Many may be inside together, or one alone. Who wants to be alone goes before all who come later. */
export class Turnstile {
  private numInside = 0;
  private alone = false;
  private readonly waiting: { readonly alone: boolean; readonly enter: () => void }[] = [];

  /** Inside, or waiting to be. */
  get load(): number {
    return this.numInside + Number(this.alone) + this.waiting.length;
  }

  /** @returns once inside; `leave` must follow */
  enter(): Promise<void> {
    return this.line(false);
  }

  leave(): void {
    this.numInside -= 1;
    this.admit();
  }

  async runAlone<T>(task: () => Promise<T>): Promise<T> {
    await this.line(true);
    try {
      return await task();
    } finally {
      this.alone = false;
      this.admit();
    }
  }

  private line(alone: boolean): Promise<void> {
    return new Promise((enter) => {
      this.waiting.push({ alone, enter });
      this.admit();
    });
  }

  private admit(): void {
    for (let next = this.waiting[0]; next; next = this.waiting[0]) {
      if (this.alone || (next.alone && this.numInside > 0)) return;
      this.waiting.shift();
      if (next.alone) this.alone = true;
      else this.numInside += 1;
      next.enter();
    }
  }
}
