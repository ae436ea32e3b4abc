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

  /** Milliseconds for `count` more tokens of all prompts together, once each has its first. */
  async decode(
    prompts: readonly (readonly number[])[],
    count: number,
    adapterOf: (row: number) => string | null = () => null,
  ): Promise<number> {
    const all = await Promise.all(
      prompts.map((prompt, row) => this.answer(prompt, count + 1, { adapter: adapterOf(row) })),
    );
    return Math.max(...all.map(({ endAt }) => endAt)) - Math.max(...all.map(({ firstAt }) => firstAt));
  }

  /** Runs one request greedily. */
  answer(promptIds: readonly number[], maxTokens: number, more: Partial<GenerateRequest> = {}): Promise<Answer> {
    const id = `bench-${this.count++}`;
    let firstAt = 0;
    const events: TokenEvent[] = [];
    return new Promise((resolve, reject) => {
      const request = { id, promptIds, maxTokens, sampling: { temperature: 0 }, ...more };
      this.engine.submit(request, (event) => {
        if (event.type === 'token') firstAt ||= performance.now();
        if (event.type === 'token') events.push(event);
        if (event.type !== 'finished') return;
        if (event.error) reject(new Error(event.error));
        else
          resolve({
            events,
            tokens: events.map(({ token }) => token),
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
  readonly firstAt: number;
  readonly endAt: number;
  readonly cachedTokens: number;
}
