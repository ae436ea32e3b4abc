import type { FileSearchResult, FileSearchTool } from '@attune/contracts';
import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { VectorStoreSearch } from '../vector-stores/vector-store-search.js';
import type { FileSearch } from './file-search.js';

const MOST_RESULTS = 20;

/** The `file_search` tool over the caller's vector stores. */
@Injectable()
export class VectorStoreFileSearch implements FileSearch {
  constructor(private readonly stores: VectorStoreSearch) {}

  async search(caller: Caller, tool: FileSearchTool, query: string): Promise<FileSearchResult[]> {
    const found = await this.stores.find(caller, tool.vector_store_ids, query, {
      limit: tool.max_num_results ?? MOST_RESULTS,
      filter: tool.filters ?? undefined,
      threshold: tool.ranking_options?.score_threshold,
      hybrid: tool.ranking_options?.hybrid_search,
    });
    return found.map(({ fileId, filename, score, text, attributes }) => ({
      file_id: fileId,
      filename,
      score,
      text,
      attributes,
    }));
  }
}
