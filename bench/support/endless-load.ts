import type { EngineHost, GenerateRequest } from '@attune/engine';

const PROMPT_TOKENS = 24;
/** Ids that every model here has, behind the special ones. */
const [FIRST_ID, NUM_IDS] = [10, 1_990];

/** A greedy request; the prompts of two seeds below a million have at most their first token in common. */
export function tokenRequest(id: string, seed: number, maxTokens: number): GenerateRequest {
  const idAt = (i: number) => FIRST_ID + ((seed * 31 + i * (7 + Math.floor(seed / NUM_IDS))) % NUM_IDS);
  const promptIds = Array.from({ length: PROMPT_TOKENS }, (_, i) => idAt(i));
  return { id, promptIds, maxTokens, sampling: { temperature: 0 } };
}

/**
 * Streams that ask again as soon as they are answered, on whatever is live. Each prompt is new: no weights find one read
 * already, neither those that stay nor those that have just come.
 */
export class EndlessLoad {
  finished = 0;
  failed = 0;
  private gaps: number[] = [];
  private asked = 0;
  private running: Promise<void>[] = [];
  private stopped = false;

  constructor(
    private readonly host: EngineHost,
    private readonly streams: number,
    private readonly maxTokens: number,
  ) {}

  start(): void {
    this.running = Array.from({ length: this.streams }, () => this.stream());
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.running);
  }

  /** Milliseconds between two tokens of an answer, as the host sees them, for as long as something is done. */
  async gapsDuring(work: () => Promise<unknown>): Promise<number[]> {
    this.gaps = [];
    await work();
    return this.gaps;
  }

  private async stream(): Promise<void> {
    while (!this.stopped) {
      const seed = this.asked++;
      let last: number | undefined;
      for await (const event of this.host.generate(tokenRequest(`load ${seed}`, seed, this.maxTokens))) {
        if (event.type === 'finished') this.count(event.reason);
        if (event.type !== 'token') continue;
        const now = performance.now();
        if (last !== undefined) this.gaps.push(now - last);
        last = now;
      }
    }
  }

  private count(reason: string): void {
    this.finished += 1;
    if (reason !== 'length') this.failed += 1;
  }
}
