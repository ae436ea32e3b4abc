import { connect, type Socket } from 'node:net';

/** When the tokens of one answer arrived, in milliseconds since it was asked for. */
export interface AnswerTimes {
  readonly tokens: number[];
  readonly total: number;
}

const PIECE = Buffer.from('"content":"');
const QUOTE = 0x22;
const END = Buffer.from('0\r\n\r\n');
const DONE = Buffer.from('[DONE]');

/**
 * One connection to the gateway that is kept alive and asks for one streamed answer after the other. It looks for the
 * few bytes that matter and parses nothing: a client shares the machine with what it measures.
 */
export class RawChat {
  private socket: Socket | undefined;

  constructor(private readonly gateway: { port: number; secret: string }) {}

  /**
   * An answer of `maxTokens` tokens, whatever the model would end it with.
   * @param sampling by the names of the API
   */
  async ask(question: string, sampling: object, maxTokens: number): Promise<AnswerTimes> {
    const request = this.request(question, sampling, maxTokens);
    this.socket ??= await opened(this.gateway.port);
    return answer(this.socket, request);
  }

  close(): void {
    this.socket?.destroy();
    this.socket = undefined;
  }

  private request(question: string, sampling: object, maxTokens: number): string {
    const body = JSON.stringify({
      model: 'default',
      messages: [{ role: 'user', content: question }],
      stream: true,
      max_tokens: maxTokens,
      ignore_eos: true,
      ...sampling,
    });
    return [
      'POST /v1/chat/completions HTTP/1.1',
      'host: 127.0.0.1',
      `authorization: Bearer ${this.gateway.secret}`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
  }
}

function opened(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

function answer(socket: Socket, request: string): Promise<AnswerTimes> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const tokens: number[] = [];
    let tail: Buffer = Buffer.alloc(0);
    const leave = () => {
      socket.off('data', read);
      socket.off('close', broken);
    };
    const broken = () => {
      leave();
      reject(new Error(`The stream broke off: ${tail.toString()}`));
    };
    const read = (bytes: Buffer) => {
      const now = performance.now() - start;
      const joined = tail.length === 0 ? bytes : Buffer.concat([tail, bytes]);
      const { count, from } = countPieces(joined);
      for (let piece = 0; piece < count; piece++) tokens.push(now);
      if (joined.subarray(-END.length).equals(END)) {
        leave();
        if (joined.includes(DONE)) resolve({ tokens, total: now });
        else reject(new Error(`The gateway refused: ${joined.toString()}`));
      } else tail = joined.subarray(from);
    };
    socket.on('data', read);
    socket.once('close', broken);
    socket.write(request);
  });
}

/** Pieces of text that are not empty, and where the bytes begin that may be part of one still to come. */
function countPieces(bytes: Buffer): { count: number; from: number } {
  let count = 0;
  let from = Math.max(0, bytes.length - PIECE.length);
  for (let at = bytes.indexOf(PIECE); at >= 0; at = bytes.indexOf(PIECE, at + 1)) {
    const next = at + PIECE.length;
    if (next >= bytes.length) return { count, from: at };
    if (bytes[next] !== QUOTE) count += 1;
    from = Math.max(from, next);
  }
  return { count, from };
}
