import {
  createFileBatchRequest,
  listVectorStoreFilesQuery,
  type AddVectorStoreFileRequest,
  type CreateFileBatchRequest,
  type CursorPage,
  type FileBatchObject,
  type ListVectorStoreFilesQuery,
  type VectorStoreFileObject,
} from '@attune/contracts';
import { VectorStoreRepository, type VectorStoreBatch } from '@attune/persistence';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { cursorPage } from '../core/list.js';
import { Validated } from '../core/validate.js';
import { FileIndexer } from './file-indexer.js';
import { fileBatchView, vectorStoreFileView } from './vector-store.view.js';

/** https://platform.openai.com/docs/api-reference/vector-stores-file-batches */
@Controller('v1/vector_stores/:store/file_batches')
export class FileBatchesController {
  constructor(
    private readonly stores: VectorStoreRepository,
    private readonly indexer: FileIndexer,
  ) {}

  @Post()
  @HttpCode(200)
  async create(
    @CurrentCaller() caller: Caller,
    @Param('store') store: string,
    @Body(new Validated(createFileBatchRequest)) body: CreateFileBatchRequest,
  ): Promise<FileBatchObject> {
    const batch = await this.stores.addBatch(store, caller.userId, filesOf(body));
    this.indexer.wake();
    return this.view(batch);
  }

  @Get(':id')
  async get(@CurrentCaller() caller: Caller, @Param('store') store: string, @Param('id') id: string) {
    return this.view(await this.stores.batch(store, id, caller.userId));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  async cancel(@CurrentCaller() caller: Caller, @Param('store') store: string, @Param('id') id: string) {
    return this.view(await this.stores.cancelBatch(store, id, caller.userId));
  }

  @Get(':id/files')
  async files(
    @CurrentCaller() caller: Caller,
    @Param('store') store: string,
    @Param('id') id: string,
    @Query(new Validated(listVectorStoreFilesQuery)) query: ListVectorStoreFilesQuery,
  ): Promise<CursorPage<VectorStoreFileObject>> {
    await this.stores.batch(store, id, caller.userId);
    const { rows, hasMore } = await this.stores.files(store, caller.userId, query, id);
    return cursorPage(rows.map(vectorStoreFileView), hasMore);
  }

  private async view(batch: VectorStoreBatch): Promise<FileBatchObject> {
    return fileBatchView(batch, await this.stores.batchTotals(batch.id));
  }
}

function filesOf({ files, file_ids: ids = [], attributes, chunking_strategy }: CreateFileBatchRequest) {
  const shared = { attributes, chunking_strategy };
  return files ?? ids.map((id): AddVectorStoreFileRequest => ({ file_id: id, ...shared }));
}
