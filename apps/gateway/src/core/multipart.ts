import { InvalidRequestError, TooLargeError } from '@attune/platform';
import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import path from 'node:path';
import { expandBrackets } from './brackets.js';

const LONGEST_NAME = 200;

export interface MultipartBody {
  filename: string;
  content: Buffer;
  /** The other fields; `a[b]` becomes `{a: {b}}`. */
  fields: Record<string, unknown>;
}

/**
 * A multipart body with one file, in memory.
 * @param field where the file is expected
 * @throws InvalidRequestError without a file in that field, TooLargeError above UPLOAD_LIMIT_BYTES
 */
export async function readMultipart(
  request: FastifyRequest,
  field: string,
  limitBytes: number,
): Promise<MultipartBody> {
  if (!request.isMultipart()) {
    throw new InvalidRequestError(`Send the file as multipart/form-data in the field \`${field}\`.`, { param: field });
  }
  const fields: Record<string, unknown> = {};
  let file: { filename: string; content: Buffer } | undefined;
  for await (const part of request.parts()) {
    if (part.type === 'field') fields[part.fieldname] = part.value;
    else if (part.fieldname !== field) throw missing(field);
    else file = { filename: safeName(part.filename), content: await contentOf(part, field, limitBytes) };
  }
  if (!file) throw missing(field);
  return { ...file, fields: expandBrackets(fields) };
}

/** A name to show, never a path to open: no folders, no control characters, no leading dots. */
export function safeName(name: string): string {
  const base = path.posix.basename(name.replaceAll('\\', '/'));
  const printable = base.replace(/[\p{Cc}\p{Cf}<>:"|?*]/gu, '').replace(/^[.\s]+/, '');
  const extension = path.extname(printable).slice(0, 16);
  const stem = printable.slice(0, printable.length - path.extname(printable).length).trim();
  return `${(stem || 'document').slice(0, LONGEST_NAME - extension.length)}${extension}`;
}

async function contentOf(part: MultipartFile, field: string, limitBytes: number): Promise<Buffer> {
  try {
    return await part.toBuffer();
  } catch (error) {
    if (!part.file.truncated) throw error;
    throw new TooLargeError(
      `The file is larger than the ${limitBytes} bytes UPLOAD_LIMIT_BYTES allows; split it, or send it in parts through /v1/uploads.`,
      { param: field },
    );
  }
}

const missing = (field: string) =>
  new InvalidRequestError(`The upload has no file in the field \`${field}\`; send it there.`, { param: field });
