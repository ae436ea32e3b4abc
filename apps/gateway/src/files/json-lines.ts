import type { FilePurpose } from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';
import path from 'node:path';

/** Purposes whose files programs read line by line. */
const LINED: ReadonlySet<FilePurpose> = new Set(['fine-tune', 'batch', 'evals']);

/**
 * Looks at a file as it passes by, for what could only fail later, when a job reads it: the wrong extension, bytes that
 * are no UTF-8, a line that is no JSON object or longer than a request may be. Whether that matters is known when the
 * purpose is, which may be told behind the file. No more than such a line is held.
 */
export class JsonLines {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private readonly hasExtension: boolean;
  /** The first thing that is wrong with the bytes. */
  private fault: string | undefined;
  private lines = 0;
  private rows = 0;
  /** Of the line that has begun: joined when it has ended, so that a long one is not copied with every chunk. */
  private begun: string[] = [];
  private begunBytes = 0;

  /** @param longestLineBytes BODY_LIMIT_BYTES */
  constructor(
    private readonly filename: string,
    private readonly longestLineBytes: number,
  ) {
    this.hasExtension = path.extname(filename).toLowerCase() === '.jsonl';
  }

  /** The same chunks. */
  async *watch(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.read(chunk);
      yield chunk;
    }
    this.read();
    if (this.rows === 0) this.fault ??= `\`${this.filename}\` is empty; put one JSON object on each line.`;
  }

  /** @throws InvalidRequestError naming the first line at fault, where the purpose wants lines */
  expect(purpose: FilePurpose): void {
    if (!LINED.has(purpose)) return;
    if (!this.hasExtension) {
      throw fault(
        `A file for \`${purpose}\` must end in .jsonl, one JSON object a line; \`${this.filename}\` does not.`,
      );
    }
    if (this.fault !== undefined) throw fault(this.fault);
  }

  /** @param chunk left out: the file has ended */
  private read(chunk?: Buffer): void {
    if (!this.hasExtension || this.fault !== undefined) return;
    const text = this.decoded(chunk);
    if (text === undefined) return;
    const [rest, ...lines] = text.split('\n');
    this.goOn(rest);
    for (const line of lines) {
      this.endLine();
      this.goOn(line);
    }
    if (chunk === undefined) this.endLine();
  }

  private decoded(chunk: Buffer | undefined): string | undefined {
    try {
      return this.decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      this.fault = `\`${this.filename}\` is not UTF-8; save it as UTF-8 and send it again.`;
      return undefined;
    }
  }

  private goOn(piece: string): void {
    this.begunBytes += Buffer.byteLength(piece);
    if (this.begunBytes <= this.longestLineBytes) return void this.begun.push(piece);
    this.begun = [];
    const which = `Line ${this.lines + 1} of \`${this.filename}\``;
    this.fault ??= `${which} is longer than the ${this.longestLineBytes} bytes BODY_LIMIT_BYTES allows; shorten it.`;
  }

  private endLine(): void {
    const line = this.begun.join('');
    this.begun = [];
    this.begunBytes = 0;
    this.lines += 1;
    if (line.trim() === '') return;
    if (isObject(line)) this.rows += 1;
    else this.fault ??= `Line ${this.lines} of \`${this.filename}\` is no JSON object.`;
  }
}

function isObject(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

const fault = (message: string) => new InvalidRequestError(message, { param: 'file', code: 'invalid_file_format' });
