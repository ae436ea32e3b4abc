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
  expectMultipart(request, field);
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

/**
 * The file of a multipart body as it comes, for whoever need not have it whole; fields beside it mean nothing.
 * @throws InvalidRequestError without a file in that field; the chunks end with TooLargeError above UPLOAD_LIMIT_BYTES
 */
export async function streamMultipart<T>(
  request: FastifyRequest,
  field: string,
  limitBytes: number,
  take: (chunks: AsyncIterable<Buffer>) => Promise<T>,
): Promise<T> {
  expectMultipart(request, field);
  const outcomes: Promise<T>[] = [];
  const reading = async () => {
    for await (const part of request.parts()) {
      if (part.type === 'field') continue;
      if (part.fieldname !== field) throw missing(field);
      const outcome = take(chunksOf(part, field, limitBytes));
      outcomes.push(outcome);
      // What nobody takes is read all the same: a client hears an answer only when it has sent everything.
      await outcome.catch(() => part.file.resume());
    }
    if (outcomes.length === 0) throw missing(field);
  };
  const read = reading();
  await read.catch(() => undefined);
  // Why it was not taken says more than that the body then ended early.
  const [value] = await Promise.all(outcomes);
  await read;
  return value;
}

function expectMultipart(request: FastifyRequest, field: string): void {
  if (request.isMultipart()) return;
  throw new InvalidRequestError(`Send the file as multipart/form-data in the field \`${field}\`.`, { param: field });
}

async function* chunksOf(part: MultipartFile, field: string, limitBytes: number): AsyncGenerator<Buffer> {
  // Not destroyed by whoever stops early: the rest of the body comes through it.
  for await (const chunk of part.file.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
  if (part.file.truncated) throw tooLarge(field, limitBytes);
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
    throw tooLarge(field, limitBytes);
  }
}

const tooLarge = (field: string, limitBytes: number) =>
  new TooLargeError(
    `The file is larger than the ${limitBytes} bytes UPLOAD_LIMIT_BYTES allows; split it, or send it in parts through /v1/uploads.`,
    { param: field },
  );

const missing = (field: string) =>
  new InvalidRequestError(`The upload has no file in the field \`${field}\`; send it there.`, { param: field });
