/** A piece of a document that an answer may stand on. */
export interface Passage {
  readonly id: string;
  readonly documentId: string;
  readonly filename: string;
  /** Its place in the document, from 0. */
  readonly ordinal: number;
  readonly text: string;
  /** Greater is better; comparable within one search only. */
  readonly score: number;
}

export interface RetrieveOptions {
  /** At most this many passages. */
  readonly limit: number;
}

/** Finds the passages that help to answer a question, best first. Full text, vectors and mixtures all look like this. */
export interface Retriever {
  retrieve(query: string, options: RetrieveOptions): Promise<Passage[]>;
}

/** Where passages are searched; the database's document repository fits. */
export interface PassageSource {
  searchPassages(question: string, limit: number): Promise<Passage[]>;
}
