import { InvalidRequestError, TooLargeError } from '@attune/platform';
import type { UploadedFile } from '@attune/retrieval';
import type { FastifyRequest } from 'fastify';
import path from 'node:path';

const LONGEST_NAME = 200;

/**
 * The one file of a multipart request, in memory.
 * @throws InvalidRequestError without a file in the field `file`, TooLargeError above UPLOAD_LIMIT_BYTES
 */
export async function readUpload(request: FastifyRequest, limitBytes: number): Promise<UploadedFile> {
  if (!request.isMultipart()) {
    throw new InvalidRequestError('Send the document as multipart/form-data in the field `file`.', { param: 'file' });
  }
  const part = await request.file();
  if (part?.fieldname !== 'file') {
    throw new InvalidRequestError('The upload has no field `file`; send the document in it.', { param: 'file' });
  }
  const content = await part.toBuffer().catch((error: unknown) => {
    if (!part.file.truncated) throw error;
    throw new TooLargeError(`The file is larger than the ${limitBytes} bytes UPLOAD_LIMIT_BYTES allows; split it.`, {
      param: 'file',
    });
  });
  return { filename: safeName(part.filename), content };
}

/** A name to show, never a path to open: no folders, no control characters, no leading dots. */
export function safeName(name: string): string {
  const base = path.posix.basename(name.replaceAll('\\', '/'));
  const printable = base.replace(/[\p{Cc}\p{Cf}<>:"|?*]/gu, '').replace(/^[.\s]+/, '');
  const extension = path.extname(printable).slice(0, 16);
  const stem = printable.slice(0, printable.length - path.extname(printable).length).trim();
  return `${(stem || 'document').slice(0, LONGEST_NAME - extension.length)}${extension}`;
}
