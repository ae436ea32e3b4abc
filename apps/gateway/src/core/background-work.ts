import { messageOf, type Logger } from '@attune/platform';

const LOOK_MS = 5_000;

/**
 * Work that is done one piece after the other, whenever there is some: `work` does all there is and returns. It is
 * called when it is woken and every so often, never twice at a time; what it throws is logged and tried again later.
 */
export class BackgroundWork {
  private readonly stopping = new AbortController();
  private timer?: NodeJS.Timeout;
  private running?: Promise<void>;
  private again = false;

  constructor(
    private readonly options: {
      /** Named in the log. */
      name: string;
      /** How often it looks without being woken, as when somebody else was told; default 5 s. */
      everyMs?: number;
      logger: Logger;
      work: (stopping: AbortSignal) => Promise<void>;
    },
  ) {}

  start(): void {
    this.timer = setInterval(() => this.wake(), this.options.everyMs ?? LOOK_MS).unref();
    this.wake();
  }

  /** Tells that there may be something to do; returns at once. */
  wake(): void {
    if (this.stopping.signal.aborted) return;
    this.again = true;
    this.running ??= this.run().finally(() => (this.running = undefined));
  }

  /** Resolves when the piece under way is done. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { name, logger, work } = this.options;
    try {
      while (this.again && !this.stopping.signal.aborted) {
        this.again = false;
        await work(this.stopping.signal);
      }
    } catch (error) {
      if (!this.stopping.signal.aborted)
        logger.warn({ err: error }, `${name} did not succeed yet: ${messageOf(error)}`);
    }
  }
}

/** Works items off, `atOnce` at a time, while `goOn` says so; the first error stops all workers and is thrown. */
export async function severalAtOnce<Item>(
  waiting: Item[],
  atOnce: number,
  goOn: () => boolean,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let broken = false;
  const worker = async () => {
    while (!broken && goOn() && waiting.length > 0) {
      await work(waiting.shift()!).catch((error: unknown) => {
        broken = true;
        throw error;
      });
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: atOnce }, worker));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}
