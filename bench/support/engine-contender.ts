import { Engine, type EngineOptions, type GenerateRequest, type TokenEvent } from '@attune/engine';

/** Our engine as the benchmarks drive it: in this process, greedy, through its public interface. */
export class EngineContender {
  private count = 0;

  private constructor(readonly engine: Engine) {}

  static async load(options: EngineOptions): Promise<EngineContender> {
    return new EngineContender(await Engine.load({ blocking: true, ...options }));
  }

  /** Milliseconds from a new prompt to its first answer token. */
  async prefill(prompt: readonly number[]): Promise<number> {
    const start = performance.now();
    const { firstAt } = await this.answer(prompt, 1);
    return firstAt - start;
  }

  /**
   * Milliseconds for `count` more tokens of all prompts together, once each has its first. The prompts are read before:
   * while some are still being read the others write ahead, and what they wrote then must not count.
   */
  async decode(
    prompts: readonly (readonly number[])[],
    count: number,
    adapterOf: (row: number) => string | null = () => null,
  ): Promise<number> {
    const ask = (maxTokens: number) =>
      Promise.all(prompts.map((prompt, row) => this.answer(prompt, maxTokens, { adapter: adapterOf(row) })));
    await ask(1);
    const all = await ask(count + 1);
    const begunAt = Math.max(...all.map(({ firstAt }) => firstAt));
    const took = Math.max(...all.map(({ endAt }) => endAt)) - begunAt;
    const written = all.flatMap(({ times }) => times.filter((at) => at > begunAt)).length;
    return (took * prompts.length * count) / written;
  }

  /** Runs one request greedily. */
  answer(promptIds: readonly number[], maxTokens: number, more: Partial<GenerateRequest> = {}): Promise<Answer> {
    const id = `bench-${this.count++}`;
    let firstAt = 0;
    const events: TokenEvent[] = [];
    const times: number[] = [];
    return new Promise((resolve, reject) => {
      const request = { id, promptIds, maxTokens, sampling: { temperature: 0 }, ...more };
      this.engine.submit(request, (event) => {
        if (event.type === 'token') {
          times.push(performance.now());
          firstAt = times[0]!;
          events.push(event);
        }
        if (event.type !== 'finished') return;
        if (event.error) reject(new Error(event.error));
        else
          resolve({
            events,
            tokens: events.map(({ token }) => token),
            times,
            firstAt,
            endAt: performance.now(),
            cachedTokens: event.cachedTokens,
          });
      });
    });
  }

  close(): Promise<void> {
    return this.engine.close();
  }
}

export interface Answer {
  readonly events: readonly TokenEvent[];
  readonly tokens: readonly number[];
  /** When each token came. */
  readonly times: readonly number[];
  readonly firstAt: number;
  readonly endAt: number;
  readonly cachedTokens: number;
}
