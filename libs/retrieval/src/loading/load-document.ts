import { documentTypes } from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';
import { BaseDocumentLoader } from '@langchain/core/document_loaders/base';
import { Document } from '@langchain/core/documents';
import path from 'node:path';
import { decodeText } from './decode-text.js';
import { htmlToText } from './html.js';
import { pdfToPages } from './pdf.js';
import { tidy, unwrapLines } from './tidy.js';

export type DocumentType = (typeof documentTypes)[keyof typeof documentTypes];

export interface UploadedFile {
  readonly filename: string;
  readonly content: Uint8Array;
}

export interface DocumentMetadata {
  readonly filename: string;
  readonly mimeType: DocumentType;
  /** From 1; PDF only. */
  readonly page?: number;
}

/** An upload as a LangChain loader: one Document, or one a page for PDF. */
export class UploadLoader extends BaseDocumentLoader {
  constructor(private readonly file: UploadedFile) {
    super();
  }

  /** @throws InvalidRequestError when the file cannot be read, or holds no text */
  override async load(): Promise<Document<DocumentMetadata>[]> {
    const { filename, content } = this.file;
    if (content.length === 0) throw new InvalidRequestError(`${filename} is empty`);
    const mimeType = documentTypeOf(filename, content);
    const texts = await readTexts(filename, content, mimeType);
    const documents = texts.map(
      (text, index) =>
        new Document<DocumentMetadata>({
          pageContent: text,
          metadata: { filename, mimeType, ...(mimeType === 'application/pdf' && { page: index + 1 }) },
        }),
    );
    const withText = documents.filter(({ pageContent }) => pageContent !== '');
    if (withText.length === 0) throw new InvalidRequestError(`${filename} holds no text`);
    return withText;
  }
}

/**
 * The type an upload is read as: by its name, held against its first bytes.
 * @throws InvalidRequestError for other types, and for a name that its content belies
 */
function documentTypeOf(filename: string, content: Uint8Array): DocumentType {
  const extension = path.extname(filename).toLowerCase();
  const type = Object.hasOwn(documentTypes, extension)
    ? documentTypes[extension as keyof typeof documentTypes]
    : undefined;
  const known = Object.keys(documentTypes).join(', ');
  if (!type) throw new InvalidRequestError(`${filename} is of a type that cannot be read; upload one of ${known}`);
  const isPdf = new TextDecoder('latin1').decode(content.subarray(0, 1024)).includes('%PDF-');
  if (isPdf !== (type === 'application/pdf')) {
    throw new InvalidRequestError(`${filename} is ${isPdf ? 'a' : 'no'} PDF by its content; name it accordingly`);
  }
  return type;
}

async function readTexts(filename: string, content: Uint8Array, type: DocumentType): Promise<string[]> {
  switch (type) {
    case 'application/pdf':
      return (await pdfToPages(filename, content)).map((page) => unwrapLines(tidy(page)));
    case 'text/html':
      return [tidy(htmlToText(filename, content))];
    case 'text/markdown':
      return [tidy(decodeText(filename, content))];
    case 'text/plain':
      return [unwrapLines(tidy(decodeText(filename, content)))];
  }
}
