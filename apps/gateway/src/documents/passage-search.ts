import type { Citation } from '@attune/contracts';
import { DocumentRepository } from '@attune/persistence';
import type { Config } from '@attune/platform';
import { fitPassages, FullTextRetriever, relevantPassages, type Retriever } from '@attune/retrieval';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '../core/tokens.js';

/** Looked at beyond the number wanted, because some will be irrelevant, repeated or too long. */
const CANDIDATES_PER_PASSAGE = 4;

/** What an answer can stand on. */
@Injectable()
export class PassageSearch {
  private readonly retriever: Retriever;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    documents: DocumentRepository,
  ) {
    this.retriever = new FullTextRetriever(documents);
  }

  /** The best passages for a question that speak about it and fit into `budgetTokens`; numbered from 1. */
  async cite(question: string, budgetTokens: number, countTokens: (text: string) => number): Promise<Citation[]> {
    const limit = this.config.retrieval.retrievalPassages;
    const found = await this.retriever.retrieve(question, { limit: limit * CANDIDATES_PER_PASSAGE });
    const relevant = relevantPassages(question, found);
    return fitPassages(relevant.slice(0, limit), budgetTokens, countTokens).map((passage, place) => ({
      index: place + 1,
      document_id: passage.documentId,
      passage_id: passage.id,
      filename: passage.filename,
      quote: passage.text,
      score: passage.score,
    }));
  }
}
