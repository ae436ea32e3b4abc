import { documentTypes } from '@attune/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { errorSentence } from '../../lib/api-client.js';
import { plural } from '../../lib/format.js';
import { queryKeys } from '../../lib/query-keys.js';
import { newLocalKey } from '../../lib/random-id.js';
import { uploadDocument } from './api/documents.js';

export interface Upload {
  key: string;
  filename: string;
  status: 'waiting' | 'running' | 'done' | 'failed';
  /** What came of it, in a sentence. */
  message: string | null;
}

export const acceptedTypes = Object.keys(documentTypes);

/** Uploads files one after the other and tells what came of each. */
export function useUploads() {
  const queryClient = useQueryClient();
  const [uploads, setUploads] = useState<Upload[]>([]);
  const patch = (key: string, change: Partial<Upload>) =>
    setUploads((all) => all.map((upload) => (upload.key === key ? { ...upload, ...change } : upload)));

  const add = async (files: File[]) => {
    const queued = files.map((file) => ({ file, upload: newUpload(file) }));
    setUploads((all) => [...queued.map(({ upload }) => upload), ...all]);
    for (const { file, upload } of queued) {
      if (upload.status === 'failed') continue;
      patch(upload.key, { status: 'running' });
      patch(upload.key, await uploadOne(file));
      await queryClient.invalidateQueries({ queryKey: queryKeys.documents });
    }
  };
  return { uploads, add };
}

async function uploadOne(file: File): Promise<Partial<Upload>> {
  try {
    const document = await uploadDocument(file);
    return { status: 'done', message: `Read into ${plural(document.num_passages, 'passage')}.` };
  } catch (error) {
    return { status: 'failed', message: errorSentence(error) };
  }
}

function newUpload(file: File): Upload {
  const base = { key: newLocalKey(), filename: file.name };
  const readable = acceptedTypes.some((extension) => file.name.toLowerCase().endsWith(extension));
  if (readable) return { ...base, status: 'waiting', message: null };
  return { ...base, status: 'failed', message: `Not a type that can be read; use ${acceptedTypes.join(', ')}.` };
}
