import type { Citation } from '@attune/contracts';
import { DocumentRepository } from '@attune/persistence';
import type { Clock, Config } from '@attune/platform';
import { fitPassages, FullTextRetriever, relevantPassages, type Retriever } from '@attune/retrieval';
import { Inject, Injectable } from '@nestjs/common';
import { FreshLookup } from '../core/fresh-lookup.js';
import { CLOCK, CONFIG } from '../core/tokens.js';

/** Looked at beyond the number wanted, because some will be irrelevant, repeated or too long. */
const CANDIDATES_PER_PASSAGE = 4;

/** How long a library that was empty is taken for empty: the longest a document of another gateway waits to be found. */
const REMEMBER_EMPTY_MS = 1_000;
const LIBRARY = 'library';

/** What an answer can stand on. */
@Injectable()
export class PassageSearch {
  private readonly retriever: Retriever;
  /** Where there are no documents, questions need not ask for any. */
  private readonly empty: FreshLookup<boolean>;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(CLOCK) clock: Clock,
    documents: DocumentRepository,
  ) {
    this.retriever = new FullTextRetriever(documents);
    this.empty = new FreshLookup({ look: () => documents.isEmpty(), freshMs: REMEMBER_EMPTY_MS, clock });
  }

  /** The best passages for a question that speak about it and fit into `budgetTokens`; numbered from 1. */
  async cite(question: string, budgetTokens: number, countTokens: (text: string) => number): Promise<Citation[]> {
    if (await this.empty.get(LIBRARY)) return [];
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

  /** A document was added here: it is found at once. */
  documentAdded(): void {
    this.empty.forgetAll();
  }
}
