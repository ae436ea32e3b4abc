import { FileRepository, VectorSearchRepository, type FileToIndex, type IndexingError } from '@attune/persistence';
import { AppError, messageOf, type Config, type Logger } from '@attune/platform';
import { readPassages, type SplitOptions } from '@attune/retrieval';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BackgroundWork } from '../core/background-work.js';
import { CONFIG, LOGGER } from '../core/tokens.js';
import { InferenceService } from '../inference/inference.service.js';

/** How often files are looked for that another gateway took and did not finish. */
const LOOK_MS = 30_000;

/** Reads the files of vector stores, one after the other, and cuts them into passages that can be searched. */
@Injectable()
export class FileIndexer implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly reading: BackgroundWork;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly files: FileRepository,
    private readonly index: VectorSearchRepository,
    private readonly inference: InferenceService,
  ) {
    const work = (stopping: AbortSignal) => this.readAll(stopping);
    this.reading = new BackgroundWork({ name: 'reading files', everyMs: LOOK_MS, logger, work });
  }

  onApplicationBootstrap(): void {
    this.reading.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.reading.stop();
  }

  /** Tells that there are files to read; returns at once. */
  wake(): void {
    this.reading.wake();
  }

  private async readAll(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      const file = await this.index.claim();
      if (!file) return;
      await this.read(file);
    }
  }

  private async read(file: FileToIndex): Promise<void> {
    const { storeId, fileId, userId, filename } = file;
    try {
      const content = await this.files.read(fileId, userId);
      const { passages } = await readPassages({ filename, content }, this.splitOptions(file));
      await this.index.complete(file, passages);
      this.logger.info({ store: storeId, file: fileId }, `file read: ${passages.length} passages`);
    } catch (error) {
      this.logger.warn({ store: storeId, file: fileId, err: error }, `file not read: ${messageOf(error)}`);
      await this.index.fail(file, indexingError(error));
    }
  }

  private splitOptions({ chunkingStrategy }: FileToIndex): SplitOptions {
    if (chunkingStrategy.type === 'static') {
      const { max_chunk_size_tokens, chunk_overlap_tokens } = chunkingStrategy.static;
      const measure = (text: string) => this.inference.countTokens(text);
      return { chunkCharacters: max_chunk_size_tokens, overlapCharacters: chunk_overlap_tokens, measure };
    }
    const { chunkCharacters, chunkOverlapCharacters } = this.config.retrieval;
    return { chunkCharacters, overlapCharacters: chunkOverlapCharacters };
  }
}

function indexingError(error: unknown): IndexingError {
  if (!(error instanceof AppError) || error.kind !== 'invalid_request') {
    return { code: 'server_error', message: 'The file could not be read because of an error inside the gateway.' };
  }
  const code = error.message.includes('type that cannot be read') ? 'unsupported_file' : 'invalid_file';
  return { code, message: error.message };
}
