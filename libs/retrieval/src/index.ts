export { fitPassages } from './fit-passages.js';
export { FullTextRetriever, PassageSourceRetriever } from './full-text-retriever.js';
export { UploadLoader } from './loading/load-document.js';
export type { DocumentMetadata, DocumentType, UploadedFile } from './loading/load-document.js';
export type { Passage, PassageSource, Retriever, RetrieveOptions } from './passage.js';
export { readPassages, type ReadPassages } from './read-passages.js';
export { coverage, relevantPassages, type RelevanceOptions } from './relevant-passages.js';
export { splitPassages, type SplitOptions } from './splitting/split-passages.js';
