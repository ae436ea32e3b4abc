import type { DocumentView, PassageView } from '@attune/contracts';
import { queryOptions } from '@tanstack/react-query';
import { callApi, callList } from '../../../lib/api-client.js';
import { queryKeys } from '../../../lib/query-keys.js';

/** GET /api/documents */
export function documentsQuery() {
  return queryOptions({
    queryKey: queryKeys.documents,
    queryFn: ({ signal }) => callList<DocumentView>('/api/documents', { signal }),
  });
}

/** GET /api/documents/search */
export function passagesQuery(query: string) {
  return queryOptions({
    queryKey: queryKeys.passages(query),
    queryFn: ({ signal }) =>
      callList<PassageView>(`/api/documents/search?q=${encodeURIComponent(query)}&limit=10`, { signal }),
    enabled: query !== '',
  });
}

/** POST /api/documents */
export function uploadDocument(file: File): Promise<DocumentView> {
  const body = new FormData();
  body.append('file', file);
  return callApi('/api/documents', { method: 'POST', body });
}

/** DELETE /api/documents/{id} */
export function deleteDocument(id: string): Promise<void> {
  return callApi(`/api/documents/${encodeURIComponent(id)}`, { method: 'DELETE' });
}
