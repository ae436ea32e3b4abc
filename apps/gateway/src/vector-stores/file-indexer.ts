import { FileRepository, VectorSearchRepository, type FileToIndex, type IndexingError } from '@attune/persistence';
import { AppError, type Config, type Logger } from '@attune/platform';
import { readPassages, type SplitOptions } from '@attune/retrieval';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { BackgroundWork } from '../core/background-work.js';
import { untilNoneIsLeft } from '../core/queue-work.js';
import { CONFIG, LOGGER } from '../core/tokens.js';
import { InferenceService } from '../inference/inference.service.js';

/** How often files are looked for that another gateway took and did not finish. */

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
    const work = untilNoneIsLeft<FileToIndex>({
      name: 'reading a file',
      logger,
      claims: index.queue,
      claim: () => index.claim(),
      work: (file) => this.read(file),
      giveUp: (file) => index.fail(file, BROKEN),
    });
    this.reading = new BackgroundWork({ name: 'reading files', logger, work });
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

  private async read(file: FileToIndex): Promise<void> {
    const { storeId, fileId, userId, filename } = file;
    try {
      const content = await this.files.read(fileId, userId);
      const { passages } = await readPassages({ filename, content }, this.splitOptions(file));
      await this.index.complete(file, passages);
      this.logger.info({ store: storeId, file: fileId }, `file read: ${passages.length} passages`);
    } catch (error) {
      const fault = faultOf(error);
      if (!fault) throw error;
      this.logger.info({ store: storeId, file: fileId }, `file not read: ${fault.message}`);
      await this.index.fail(file, fault);
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

const BROKEN: IndexingError = {
  code: 'server_error',
  message: 'The file could not be read because of an error inside the gateway.',
};

/** What is wrong with the file itself; anything else may go better another time. */
function faultOf(error: unknown): IndexingError | null {
  if (!(error instanceof AppError)) return null;
  if (error.kind === 'not_found') return { code: 'invalid_file', message: error.message };
  if (error.kind !== 'invalid_request') return null;
  const code = error.message.includes('type that cannot be read') ? 'unsupported_file' : 'invalid_file';
  return { code, message: error.message };
}
