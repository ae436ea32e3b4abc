import {
  createFileFields,
  type FileDeleted,
  type FileObject,
  type CursorPage,
  type ListFilesQuery,
} from '@attune/contracts';
import { FileRepository, UploadRepository, VectorStoreRepository, type ReceivedFile } from '@attune/persistence';
import { messageOf, type Config, type Logger } from '@attune/platform';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { cursorPage } from '../core/list.js';
import type { FileForm } from '../core/multipart.js';
import { CONFIG, LOGGER } from '../core/tokens.js';
import { validate } from '../core/validate.js';
import { batchFilesSeconds } from '../retention/batch-files.js';
import { fileView } from './file.view.js';
import { JsonLines } from './json-lines.js';

const SWEEP_MS = 10 * 60_000;

/** Files for fine-tuning, evals, batches and vector stores. */
@Injectable()
export class FilesService implements OnApplicationBootstrap, OnApplicationShutdown {
  private sweeper?: NodeJS.Timeout;
  private readonly batchFilesSeconds: number | undefined;

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CONFIG) private readonly config: Config,
    private readonly files: FileRepository,
    private readonly uploads: UploadRepository,
    private readonly stores: VectorStoreRepository,
  ) {
    this.batchFilesSeconds = batchFilesSeconds(config);
  }

  onApplicationBootstrap(): void {
    this.sweeper = setInterval(() => void this.sweep(), SWEEP_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.sweeper);
  }

  /** Stores a file as it comes; of one that turns out to be wrong at its end, or in the fields behind it, nothing stays. */
  async add(caller: Caller, form: FileForm): Promise<FileObject> {
    let received: ReceivedFile | undefined;
    try {
      const { taken, fields } = await form(async ({ filename, chunks }) => {
        const lines = new JsonLines(filename, this.config.http.bodyLimitBytes);
        received = await this.files.receive(caller.userId, filename, lines.watch(chunks));
        return { file: received, lines };
      });
      const { purpose, expires_after: expiry } = validate(createFileFields, fields);
      taken.lines.expect(purpose);
      const lifetimeSeconds = expiry?.seconds ?? (purpose === 'batch' ? this.batchFilesSeconds : undefined);
      return fileView(await this.files.complete(taken.file, { purpose, lifetimeSeconds }));
    } catch (error) {
      // What cannot be taken back now goes with what has expired.
      if (received) await this.files.discard(received.id).catch(() => undefined);
      throw error;
    }
  }

  async list(caller: Caller, query: ListFilesQuery): Promise<CursorPage<FileObject>> {
    const { rows, hasMore } = await this.files.list(caller.userId, query);
    return cursorPage(rows.map(fileView), hasMore);
  }

  async get(caller: Caller, id: string): Promise<FileObject> {
    return fileView(await this.files.get(id, caller.userId));
  }

  async remove(caller: Caller, id: string): Promise<FileDeleted> {
    await this.files.remove(id, caller.userId);
    return { id, object: 'file', deleted: true };
  }

  private async sweep(): Promise<void> {
    try {
      const files = await this.files.removeExpired();
      const uploads = await this.uploads.removeExpired();
      const stores = await this.stores.removeExpired();
      if (files + uploads + stores > 0) this.logger.info({ files, uploads, stores }, 'what had expired was deleted');
    } catch (error) {
      this.logger.warn({ err: error }, `expired files not deleted yet: ${messageOf(error)}`);
    }
  }
}
