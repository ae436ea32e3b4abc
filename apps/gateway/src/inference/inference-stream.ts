import type { EngineEvent } from '@attune/engine';
import type { InferenceEvent } from './inference.types.js';
import type { TextOfTokens } from './text-of-tokens.js';

type Result = IteratorResult<InferenceEvent, undefined>;

const END: Result = { done: true, value: undefined };

/**
 * One run of the engine, as text. Leaving the loop ends it within a step. An iterator by hand: every token passes here,
 * and a generator would take three turns for each.
 */
export class InferenceStream implements AsyncIterableIterator<InferenceEvent> {
  private readonly ready: InferenceEvent[] = [];

  /**
   * @param cancel ends the run; what is left of it still comes
   * @param ended called when nothing more will come, however that came about; calling it twice must do no harm
   */
  constructor(
    private readonly events: AsyncIterator<EngineEvent>,
    private readonly text: TextOfTokens,
    readonly cancel: () => void,
    private readonly ended: () => void,
  ) {}

  /** @throws UnavailableError when the engine broke, or had no room for longer than ENGINE_START_WITHIN_SECONDS */
  async next(): Promise<Result> {
    try {
      while (this.ready.length === 0) {
        const { done, value } = await this.events.next();
        if (done) return this.end();
        this.ready.push(...this.text.read(value));
      }
    } catch (error) {
      this.ended();
      throw error;
    }
    return { done: false, value: this.ready.shift()! };
  }

  async return(): Promise<Result> {
    this.ready.length = 0;
    this.ended();
    await this.events.return?.();
    return END;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private end(): Result {
    this.ended();
    return END;
  }
}
