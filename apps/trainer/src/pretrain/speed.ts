/** Throughput over the last steps. */
export class Speed {
  private marks: { at: number; tokens: number }[] = [{ at: performance.now(), tokens: 0 }];

  add(tokens: number): void {
    this.marks.push({ at: performance.now(), tokens: this.marks.at(-1)!.tokens + tokens });
    if (this.marks.length > 50) this.marks.shift();
  }

  tokensPerSecond(): number {
    const [first, last] = [this.marks[0], this.marks.at(-1)!];
    return ((last.tokens - first.tokens) / (last.at - first.at)) * 1000;
  }

  secondsPerStep(): number {
    return (this.marks.at(-1)!.at - this.marks[0].at) / 1000 / (this.marks.length - 1);
  }
}
