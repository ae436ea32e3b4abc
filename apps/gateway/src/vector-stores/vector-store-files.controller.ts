import {
  addVectorStoreFileRequest,
  listVectorStoreFilesQuery,
  updateVectorStoreFileRequest,
  type AddVectorStoreFileRequest,
  type CursorPage,
  type ListVectorStoreFilesQuery,
  type UpdateVectorStoreFileRequest,
  type VectorStoreFileObject,
} from '@attune/contracts';
import { VectorStoreRepository } from '@attune/persistence';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { cursorPage } from '../core/list.js';
import { Validated } from '../core/validate.js';
import { FileIndexer } from './file-indexer.js';
import { vectorStoreFileView } from './vector-store.view.js';

/** https://platform.openai.com/docs/api-reference/vector-stores-files */
@Controller('v1/vector_stores/:store/files')
export class VectorStoreFilesController {
  constructor(
    private readonly stores: VectorStoreRepository,
    private readonly indexer: FileIndexer,
  ) {}

  @Post()
  @HttpCode(200)
  async add(
    @CurrentCaller() caller: Caller,
    @Param('store') store: string,
    @Body(new Validated(addVectorStoreFileRequest)) body: AddVectorStoreFileRequest,
  ): Promise<VectorStoreFileObject> {
    await this.stores.add(store, caller.userId, [body]);
    const file = await this.stores.file(store, body.file_id, caller.userId);
    this.indexer.wake();
    return vectorStoreFileView(file);
  }

  @Get()
  async list(
    @CurrentCaller() caller: Caller,
    @Param('store') store: string,
    @Query(new Validated(listVectorStoreFilesQuery)) query: ListVectorStoreFilesQuery,
  ): Promise<CursorPage<VectorStoreFileObject>> {
    const { rows, hasMore } = await this.stores.files(store, caller.userId, query);
    return cursorPage(rows.map(vectorStoreFileView), hasMore);
  }

  @Get(':id')
  async get(@CurrentCaller() caller: Caller, @Param('store') store: string, @Param('id') id: string) {
    return vectorStoreFileView(await this.stores.file(store, id, caller.userId));
  }

  @Get(':id/content')
  async content(@CurrentCaller() caller: Caller, @Param('store') store: string, @Param('id') id: string) {
    const passages = await this.stores.passages(store, id, caller.userId);
    return {
      object: 'vector_store.file_content.page',
      data: passages.map((text) => ({ type: 'text', text })),
      has_more: false,
      next_page: null,
    };
  }

  @Post(':id')
  @HttpCode(200)
  async update(
    @CurrentCaller() caller: Caller,
    @Param('store') store: string,
    @Param('id') id: string,
    @Body(new Validated(updateVectorStoreFileRequest)) body: UpdateVectorStoreFileRequest,
  ): Promise<VectorStoreFileObject> {
    return vectorStoreFileView(await this.stores.updateFile(store, id, caller.userId, body.attributes));
  }

  @Delete(':id')
  async remove(@CurrentCaller() caller: Caller, @Param('store') store: string, @Param('id') id: string) {
    await this.stores.removeFile(store, id, caller.userId);
    return { id, object: 'vector_store.file.deleted', deleted: true };
  }
}
