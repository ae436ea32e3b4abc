import { Document } from '@langchain/core/documents';
import { BaseRetriever } from '@langchain/core/retrievers';
import type { Passage, PassageSource, Retriever, RetrieveOptions } from './passage.js';

type PassageMetadata = Omit<Passage, 'text'>;

/** A passage source as a LangChain retriever, so that chains, ensembles and tracers of that world can use it. */
export class PassageSourceRetriever extends BaseRetriever<PassageMetadata> {
  lc_namespace = ['attune', 'retrieval'];

  constructor(
    private readonly source: PassageSource,
    private readonly limit: number,
  ) {
    super();
  }

  override async _getRelevantDocuments(query: string): Promise<Document<PassageMetadata>[]> {
    const passages = await this.source.searchPassages(query, this.limit);
    return passages.map(({ text, ...metadata }) => new Document({ pageContent: text, metadata, id: metadata.id }));
  }
}

/** Retrieval by the words of the question, ranked by the source. */
export class FullTextRetriever implements Retriever {
  constructor(private readonly source: PassageSource) {}

  async retrieve(query: string, { limit }: RetrieveOptions): Promise<Passage[]> {
    const documents = await new PassageSourceRetriever(this.source, limit).invoke(query);
    return documents.map(({ pageContent, metadata }) => ({ ...metadata, text: pageContent }));
  }
}
