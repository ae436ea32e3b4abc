import { InvalidRequestError, TooLargeError } from '@attune/platform';
import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import path from 'node:path';
import { expandBrackets } from './brackets.js';

const LONGEST_NAME = 200;

/** The other fields of a form; `a[b]` becomes `{a: {b}}`. */
type Fields = Record<string, unknown>;

/** A file on its way. */
export interface IncomingFile {
  filename: string;
  /** They end with TooLargeError above UPLOAD_LIMIT_BYTES. */
  chunks: AsyncIterable<Buffer>;
}

/** A form that is read once, to whoever takes its file. */
export type FileForm = <Taken>(
  take: (file: IncomingFile) => Promise<Taken>,
) => Promise<{ taken: Taken; fields: Fields }>;

export interface MultipartBody {
  filename: string;
  content: Buffer;
  fields: Fields;
}

/** As {@link fileForm}, with the file in memory. */
export async function readMultipart(
  request: FastifyRequest,
  field: string,
  limitBytes: number,
): Promise<MultipartBody> {
  const { taken, fields } = await fileForm(
    request,
    field,
    limitBytes,
  )(async ({ filename, chunks }) => {
    const pieces: Buffer[] = [];
    for await (const chunk of chunks) pieces.push(chunk);
    return { filename, content: Buffer.concat(pieces) };
  });
  return { ...taken, fields };
}

/**
 * A multipart body with one file, which is handed on as it comes; fields may stand before and behind it. Reading it throws
 * InvalidRequestError without a file in that field, and TooLargeError above UPLOAD_LIMIT_BYTES; who has taken the file by
 * then hears of it so.
 * @param field where the file is expected
 */
export function fileForm(request: FastifyRequest, field: string, limitBytes: number): FileForm {
  return async <Taken>(take: (file: IncomingFile) => Promise<Taken>) => {
    expectMultipart(request, field);
    const fields: Fields = {};
    const outcomes: Promise<Taken>[] = [];
    const reading = async () => {
      for await (const part of request.parts()) {
        if (part.type === 'field') {
          fields[part.fieldname] = part.value;
          continue;
        }
        if (part.fieldname !== field) throw missing(field);
        // A part that only says that it is bytes has no name, whatever its type promises.
        const outcome = take({ filename: safeName(part.filename ?? ''), chunks: chunksOf(part, field, limitBytes) });
        outcomes.push(outcome);
        // What nobody takes is read all the same: a client hears an answer only when it has sent everything.
        await outcome.catch(() => part.file.resume());
      }
      if (outcomes.length === 0) throw missing(field);
    };
    const read = reading();
    await read.catch(() => undefined);
    // Why it was not taken says more than that the body then ended early.
    const [taken] = await Promise.all(outcomes);
    await read;
    return { taken, fields: expandBrackets(fields) };
  };
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

const tooLarge = (field: string, limitBytes: number) =>
  new TooLargeError(
    `The file is larger than the ${limitBytes} bytes UPLOAD_LIMIT_BYTES allows; split it, or send it in parts through /v1/uploads.`,
    { param: field },
  );

const missing = (field: string) =>
  new InvalidRequestError(`The upload has no file in the field \`${field}\`; send it there.`, { param: field });
