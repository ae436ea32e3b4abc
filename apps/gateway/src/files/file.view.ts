import type { FileObject, UploadObject, UploadPartObject } from '@attune/contracts';
import type { StoredFile, Upload, UploadPart } from '@attune/persistence';
import { seconds } from '../core/seconds.js';

export const fileView = (file: StoredFile): FileObject => ({
  id: file.id,
  object: 'file',
  bytes: file.bytes,
  created_at: seconds(file.createdAt),
  ...(file.expiresAt && { expires_at: seconds(file.expiresAt) }),
  filename: file.filename,
  purpose: file.purpose,
  status: 'processed',
});

export const uploadView = (upload: Upload, file: StoredFile | null = null): UploadObject => ({
  id: upload.id,
  object: 'upload',
  bytes: upload.bytes,
  created_at: seconds(upload.createdAt),
  expires_at: seconds(upload.expiresAt),
  filename: upload.filename,
  purpose: upload.purpose,
  status: upload.status,
  file: file && fileView(file),
});

export const uploadPartView = (part: UploadPart): UploadPartObject => ({
  id: part.id,
  object: 'upload.part',
  created_at: seconds(part.createdAt),
  upload_id: part.uploadId,
});
