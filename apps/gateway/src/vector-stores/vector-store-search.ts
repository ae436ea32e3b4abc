import type { AttributeFilter, SearchVectorStoreRequest, VectorStoreSearchPage } from '@attune/contracts';
import { VectorSearchRepository, VectorStoreRepository, type FoundStorePassage } from '@attune/persistence';
import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';

export interface StoreSearch {
  limit: number;
  filter?: AttributeFilter;
  /** Least score of a result, 0 to 1. */
  threshold?: number;
}

/** Searches in vector stores: the endpoint's, and the file_search tool's. */
@Injectable()
export class VectorStoreSearch {
  constructor(
    private readonly stores: VectorStoreRepository,
    private readonly passages: VectorSearchRepository,
  ) {}

  /**
   * The best passages of the caller's stores, best first.
   * @throws NotFoundError for a store that is not the caller's
   */
  async find(caller: Caller, storeIds: string[], query: string, options: StoreSearch): Promise<FoundStorePassage[]> {
    for (const id of storeIds) await this.stores.get(id, caller.userId);
    return this.passages.search(storeIds, query, options);
  }

  async page(caller: Caller, storeId: string, request: SearchVectorStoreRequest): Promise<VectorStoreSearchPage> {
    const queries = [request.query].flat();
    const found = await this.find(caller, [storeId], queries.join(' '), {
      limit: request.max_num_results,
      filter: request.filters,
      threshold: request.ranking_options?.score_threshold,
    });
    return {
      object: 'vector_store.search_results.page',
      search_query: queries,
      data: found.map(({ fileId, filename, score, attributes, text }) => ({
        file_id: fileId,
        filename,
        score,
        attributes,
        content: [{ type: 'text', text }],
      })),
      has_more: false,
      next_page: null,
    };
  }
}
