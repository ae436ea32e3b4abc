import type { DocumentView, ListBody, PassageView } from '@attune/contracts';
import { DocumentRepository, type DocumentWithCount } from '@attune/persistence';
import type { Config, Logger } from '@attune/platform';
import { readPassages, type UploadedFile } from '@attune/retrieval';
import { Inject, Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { list, page } from '../core/list.js';
import { seconds } from '../core/seconds.js';
import { CONFIG, LOGGER } from '../core/tokens.js';
import { PassageSearch } from './passage-search.js';

/** The documents answers are grounded in. */
@Injectable()
export class DocumentsService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly documents: DocumentRepository,
    private readonly passages: PassageSearch,
  ) {}

  /** Reads, splits and stores an upload; the same file of the same user is stored once. */
  async add(caller: Caller, file: UploadedFile): Promise<DocumentView> {
    const { chunkCharacters, chunkOverlapCharacters } = this.config.retrieval;
    const split = { chunkCharacters, overlapCharacters: chunkOverlapCharacters };
    const { mimeType, passages } = await readPassages(file, split);
    const content = Buffer.from(file.content);
    const row = { userId: caller.userId, filename: file.filename, mimeType, content, passages };
    const { outcome, document } = await this.documents.add(row);
    this.passages.documentAdded();
    this.logger.info({ document: document.id }, `document ${outcome}: ${passages.length} passages`);
    return documentView(document);
  }

  async list(limit: number, after: string | undefined): Promise<ListBody<DocumentView>> {
    return page((await this.documents.list(limit + 1, after)).map(documentView), limit);
  }

  async get(id: string): Promise<DocumentView> {
    return documentView(await this.documents.get(id));
  }

  remove(id: string): Promise<void> {
    return this.documents.remove(id);
  }

  async search(question: string, limit: number): Promise<ListBody<PassageView>> {
    const passages = await this.documents.searchPassages(question, limit);
    return list(
      passages.map(({ id, documentId, filename, ordinal, text, score }) => ({
        id,
        document_id: documentId,
        filename,
        ordinal,
        text,
        score,
      })),
    );
  }
}

const documentView = (row: DocumentWithCount): DocumentView => ({
  id: row.id,
  object: 'document',
  filename: row.filename,
  mime_type: row.mimeType,
  bytes: row.bytes,
  num_passages: row.numPassages,
  created: seconds(row.createdAt),
});
