import { PassageVectorRepository, type FileToEmbed } from '@attune/persistence';
import { UnavailableError, type Logger } from '@attune/platform';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackgroundWork } from '../core/background-work.js';
import { untilNoneIsLeft, type HeldClaim } from '../core/queue-work.js';
import { LOGGER } from '../core/tokens.js';
import { TextVectors } from './text-vectors.js';

/** Few, so that other texts and answers come in between. */
const AT_ONCE = 8;
/** How long a search waits for vectors before it says to come again. */
const PATIENCE_MS = 5_000;
const GLANCE_MS = 100;

/** Makes the vectors of passages, for the stores that somebody searches by meaning. */
@Injectable()
export class PassageEmbedder implements OnApplicationBootstrap {
  private readonly embedding: BackgroundWork;

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly passages: PassageVectorRepository,
    private readonly vectors: TextVectors,
  ) {
    const work = untilNoneIsLeft<FileToEmbed>({
      name: 'making vectors',
      logger,
      claims: passages.queue,
      claim: () => passages.claim(),
      work: (file, held, stopping) => this.embed(file, held, stopping),
      giveUp: (file) => passages.giveUp(file, vectors.madeBy),
    });
    this.embedding = new BackgroundWork({ name: 'making vectors', logger, work });
  }

  onApplicationBootstrap(): void {
    this.embedding.start();
  }

  // Before the engine is closed.
  beforeApplicationShutdown(): Promise<void> {
    return this.embedding.stop();
  }

  /**
   * Resolves when all passages of these stores have vectors.
   * @throws UnavailableError with code `vectors_not_ready` when that takes longer than a request may wait
   */
  async ready(storeIds: string[]): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const lacking = await this.passages.want(storeIds, this.vectors.madeBy);
      if (lacking === 0) return;
      this.embedding.wake();
      if (performance.now() > deadline) throw notReady(lacking);
      await sleep(GLANCE_MS);
    }
  }

  private async embed(file: FileToEmbed, held: HeldClaim, stopping: AbortSignal): Promise<void> {
    if (!(await this.passages.begin(file, this.vectors.madeBy))) return;
    while (held.ours && !stopping.aborted) {
      const waiting = await this.passages.without(file, AT_ONCE);
      if (waiting.length === 0) {
        await this.passages.end(file);
        this.logger.info({ store: file.storeId, file: file.fileId }, 'vectors made');
        return;
      }
      const vectors = await this.vectors.of(waiting.map(({ text }) => text));
      const made = waiting.map(({ ordinal }, i) => ({ ordinal, vector: vectors[i] }));
      if (!(await this.passages.add(file, made))) return;
    }
  }
}

const notReady = (files: number) =>
  new UnavailableError(
    `The vectors of ${files} ${files === 1 ? 'file' : 'files'} are still being made, for the first search by meaning; ask again soon, or search without \`hybrid_search\`.`,
    { code: 'vectors_not_ready', retryAfterSeconds: 5 },
  );
