const SHOW_AFTER_MS = 1_000;
const REPEAT_EVERY_MS = 5_000;

/** What the person at the terminal reads. */
export class Reporter {
  constructor(private readonly out: { write(text: string): unknown }) {}

  say(line: string): void {
    this.out.write(`${line}\n`);
  }

  /**
   * Waits for the work and, when it takes over a second, says what is going on, then every five seconds how long it has
   * taken, and at the end that it is done.
   * @param detail asked each time for more to say (`downloading the model (41 %)`)
   */
  async during<T>(what: string, work: Promise<T>, detail: () => string | undefined = () => undefined): Promise<T> {
    const start = performance.now();
    const seconds = () => `${((performance.now() - start) / 1000).toFixed(0)} s`;
    let said: string | undefined;
    let saidAt = 0;
    const tick = () => {
      const text = detail() ?? what;
      if (text === said && performance.now() - saidAt < REPEAT_EVERY_MS) return;
      this.say(said === text ? `  ${text} … ${seconds()}` : `  ${text} …`);
      said = text;
      saidAt = performance.now();
    };
    const timer = setInterval(tick, SHOW_AFTER_MS);
    try {
      const result = await work;
      if (said) this.say(`  ${what}: done in ${seconds()}`);
      return result;
    } finally {
      clearInterval(timer);
    }
  }
}
