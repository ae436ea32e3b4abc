import {
  createVectorStoreRequest,
  listVectorStoresQuery,
  searchVectorStoreRequest,
  updateVectorStoreRequest,
  type CreateVectorStoreRequest,
  type CursorPage,
  type PageQuery,
  type SearchVectorStoreRequest,
  type UpdateVectorStoreRequest,
  type VectorStoreObject,
  type VectorStoreSearchPage,
} from '@attune/contracts';
import { VectorStoreRepository, type VectorStore } from '@attune/persistence';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { cursorPage } from '../core/list.js';
import { Validated } from '../core/validate.js';
import { FileIndexer } from './file-indexer.js';
import { VectorStoreSearch } from './vector-store-search.js';
import { vectorStoreView } from './vector-store.view.js';

/** https://platform.openai.com/docs/api-reference/vector-stores */
@Controller('v1/vector_stores')
export class VectorStoresController {
  constructor(
    private readonly stores: VectorStoreRepository,
    private readonly searching: VectorStoreSearch,
    private readonly indexer: FileIndexer,
  ) {}

  @Post()
  @HttpCode(200)
  async create(
    @CurrentCaller() caller: Caller,
    @Body(new Validated(createVectorStoreRequest)) body: CreateVectorStoreRequest,
  ): Promise<VectorStoreObject> {
    const store = await this.stores.create(caller.userId, body);
    this.indexer.wake();
    return this.view(store);
  }

  @Get()
  async list(
    @CurrentCaller() caller: Caller,
    @Query(new Validated(listVectorStoresQuery)) query: PageQuery,
  ): Promise<CursorPage<VectorStoreObject>> {
    const { rows, hasMore } = await this.stores.list(caller.userId, query);
    return cursorPage(await Promise.all(rows.map((store) => this.view(store))), hasMore);
  }

  @Get(':id')
  async get(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<VectorStoreObject> {
    return this.view(await this.stores.get(id, caller.userId));
  }

  @Post(':id')
  @HttpCode(200)
  async update(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body(new Validated(updateVectorStoreRequest)) body: UpdateVectorStoreRequest,
  ): Promise<VectorStoreObject> {
    return this.view(await this.stores.update(id, caller.userId, body));
  }

  @Delete(':id')
  async remove(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    await this.stores.remove(id, caller.userId);
    return { id, object: 'vector_store.deleted', deleted: true };
  }

  @Post(':id/search')
  @HttpCode(200)
  search(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body(new Validated(searchVectorStoreRequest)) body: SearchVectorStoreRequest,
  ): Promise<VectorStoreSearchPage> {
    return this.searching.page(caller, id, body);
  }

  private async view(store: VectorStore): Promise<VectorStoreObject> {
    return vectorStoreView(store, await this.stores.totals(store.id));
  }
}
