/** POST /api/documents (multipart, field `file`), GET /api/documents, GET and DELETE /api/documents/{id} */
export interface DocumentView {
  id: string;
  object: 'document';
  filename: string;
  mime_type: string;
  /** Bytes of the uploaded file. */
  bytes: number;
  num_passages: number;
  created: number;
}
/** GET /api/documents/search?q=…&limit=… */
export interface PassageView {
  id: string;
  document_id: string;
  filename: string;
  ordinal: number;
  text: string;
  score: number;
}
/** Media types that can be read. */
export const documentTypes = {
  '.txt': 'text/plain',
  '.md': 'text/markdown',
  '.html': 'text/html',
  '.htm': 'text/html',
  '.pdf': 'application/pdf',
} as const;
