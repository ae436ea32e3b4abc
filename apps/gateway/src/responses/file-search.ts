import type { Citation, FileSearchCallItem, FileSearchResult, FileSearchTool } from '@attune/contracts';
import { createId, InvalidRequestError } from '@attune/platform';
import { Inject, Injectable, Optional } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';

/** What searches vector stores for the `file_search` tool; whoever keeps the stores provides it under this token. */
export const FILE_SEARCH = Symbol('FileSearch');
export interface FileSearch {
  /** Best first, at most `tool.max_num_results`. @throws NotFoundError naming a vector store the caller has not */
  search(caller: Caller, tool: FileSearchTool, query: string): Promise<FileSearchResult[]>;
}

/** Searches made before the model is asked: small models do not ask for them by themselves. */
@Injectable()
export class FileSearchTools {
  constructor(@Optional() @Inject(FILE_SEARCH) private readonly stores: FileSearch | undefined) {}

  /**
   * One output item a tool, results included.
   * @throws InvalidRequestError when this gateway has no vector stores
   */
  async run(
    caller: Caller,
    tools: readonly FileSearchTool[],
    query: string | undefined,
  ): Promise<FileSearchCallItem[]> {
    if (tools.length > 0 && !this.stores) {
      throw new InvalidRequestError('`file_search` has no vector stores to search here; leave the tool out.', {
        param: 'tools',
      });
    }
    if (query === undefined) return [];
    return Promise.all(tools.map((tool) => this.searched(caller, tool, query)));
  }

  private async searched(caller: Caller, tool: FileSearchTool, query: string): Promise<FileSearchCallItem> {
    const results = await this.stores!.search(caller, tool, query);
    return { id: createId('fs'), type: 'file_search_call', queries: [query], status: 'completed', results };
  }
}

/** Results as the passages an answer is grounded in, best first. */
export function searchCitations(searches: readonly FileSearchCallItem[]): Citation[] {
  return searches
    .flatMap((item) => item.results ?? [])
    .toSorted((a, b) => b.score - a.score)
    .map((result, place) => ({
      index: place + 1,
      document_id: result.file_id,
      passage_id: `${result.file_id}#${place + 1}`,
      filename: result.filename,
      quote: result.text,
      score: result.score,
    }));
}

/** `include` decides whether clients see the passages. */
export const shownSearch = (item: FileSearchCallItem, withResults: boolean): FileSearchCallItem =>
  withResults ? item : { ...item, results: null };
