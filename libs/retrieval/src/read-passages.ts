import { InvalidRequestError } from '@attune/platform';
import { UploadLoader, type DocumentType, type UploadedFile } from './loading/load-document.js';
import { splitPassages, type SplitOptions } from './splitting/split-passages.js';

export interface ReadPassages {
  readonly mimeType: DocumentType;
  /** In the order they are read. */
  readonly passages: string[];
}

/**
 * From an uploaded file to the passages that are stored and searched.
 * @throws InvalidRequestError with one sentence when the file cannot be read or holds no text
 */
export async function readPassages(file: UploadedFile, options: SplitOptions): Promise<ReadPassages> {
  const documents = await new UploadLoader(file).load();
  const passages = await splitPassages(documents, options);
  if (passages.length === 0) throw new InvalidRequestError(`${file.filename} holds no words`);
  return { mimeType: documents[0].metadata.mimeType, passages };
}
