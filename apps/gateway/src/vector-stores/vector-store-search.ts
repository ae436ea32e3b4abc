import type { AttributeFilter, HybridSearch, SearchVectorStoreRequest, VectorStoreSearchPage } from '@attune/contracts';
import {
  PassageVectorRepository,
  UsageRepository,
  VectorSearchRepository,
  VectorStoreRepository,
  type FoundStorePassage,
  type PassageKey,
} from '@attune/persistence';
import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { KeyQuotas } from '../auth/key-quotas.js';
import { PassageEmbedder } from './passage-embedder.js';
import { fuseRankings } from './rank-fusion.js';
import { TextVectors } from './text-vectors.js';

export interface StoreSearch {
  limit: number;
  filter?: AttributeFilter;
  /** Least score of a result, 0 to 1. */
  threshold?: number;
  /** Left out: by words alone, which is better with small models (docs/experiments.md). */
  hybrid?: HybridSearch;
}

/** Places of each ranking that count. */
const CANDIDATES = 200;

/** Searches in vector stores: the endpoint's, and the file_search tool's. */
@Injectable()
export class VectorStoreSearch {
  constructor(
    private readonly stores: VectorStoreRepository,
    private readonly passages: VectorSearchRepository,
    private readonly vectors: PassageVectorRepository,
    private readonly embedder: PassageEmbedder,
    private readonly texts: TextVectors,
    private readonly quotas: KeyQuotas,
    private readonly usage: UsageRepository,
  ) {}

  /**
   * The best passages of the caller's stores, best first.
   * @throws NotFoundError for a store that is not the caller's
   * @throws RateLimitedError for a search by vectors when the key has used up its day
   */
  async find(caller: Caller, storeIds: string[], query: string, options: StoreSearch): Promise<FoundStorePassage[]> {
    for (const id of storeIds) await this.stores.get(id, caller.userId);
    const { hybrid } = options;
    if (!hybrid || hybrid.embedding_weight === 0) return this.passages.search(storeIds, query, options);
    await this.quotas.take(caller.keyId);
    const found = await this.findByBoth(storeIds, query, options, hybrid);
    await this.usage.countEmbedding(caller.keyId, this.texts.numTokens(query));
    return found;
  }

  private async findByBoth(
    storeIds: string[],
    query: string,
    { limit, filter, threshold = 0 }: StoreSearch,
    weights: HybridSearch,
  ): Promise<FoundStorePassage[]> {
    await this.embedder.ready(storeIds);
    const [vector] = await this.texts.of([query]);
    const options = { limit: CANDIDATES, filter };
    const byWords = await this.passages.search(storeIds, query, options);
    const byMeaning = await this.vectors.nearest(storeIds, vector, options);
    const fused = fuseRankings([
      { found: byWords.map(nameOf), weight: weights.text_weight },
      { found: byMeaning.map(({ key }) => nameOf(key)), weight: weights.embedding_weight },
    ]);
    const best = fused.filter(({ score }) => score >= threshold).slice(0, limit);
    const keys = new Map([...byWords, ...byMeaning.map(({ key }) => key)].map((key) => [nameOf(key), key]));
    const read = await this.vectors.read(best.map(({ name }) => keys.get(name)!));
    const texts = new Map(read.map((passage) => [nameOf(passage), passage]));
    return best.flatMap(({ name, score }) => (texts.has(name) ? [{ ...texts.get(name)!, score }] : []));
  }

  async page(caller: Caller, storeId: string, request: SearchVectorStoreRequest): Promise<VectorStoreSearchPage> {
    const queries = [request.query].flat();
    const found = await this.find(caller, [storeId], queries.join(' '), {
      limit: request.max_num_results,
      filter: request.filters,
      threshold: request.ranking_options?.score_threshold,
      hybrid: request.ranking_options?.hybrid_search,
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

const nameOf = ({ storeId, fileId, ordinal }: PassageKey) => `${storeId}/${fileId}/${ordinal}`;
