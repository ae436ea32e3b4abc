import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

export interface RawFrame {
  fin: boolean;
  opcode: number;
  payload: Buffer;
}

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A WebSocket client that sends exactly the bytes it is told to, right or wrong (RFC 6455). */
export class RawWebSocket {
  private buffer = Buffer.alloc(0);
  private readonly frames: RawFrame[] = [];
  private ended = false;
  private wake: () => void = () => undefined;

  private constructor(readonly socket: Socket) {
    socket.on('data', (data) => {
      this.buffer = Buffer.concat([this.buffer, data]);
      for (let frame = this.parse(); frame; frame = this.parse()) this.frames.push(frame);
      this.wake();
    });
    socket.resume();
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.ended = true;
      this.wake();
    });
  }

  /** Shakes hands at `path`. @throws with the status line when the server does not upgrade */
  static async open(port: number, path: string, apiKey: string): Promise<RawWebSocket> {
    const socket = connect(port, '127.0.0.1');
    const head = await handshake(socket, path, apiKey);
    if (!head.startsWith('HTTP/1.1 101')) throw new Error(head.split('\r\n')[0]);
    return new RawWebSocket(socket);
  }

  /** One frame, masked as a client's must be. */
  send(opcode: number, payload: Buffer | string = '', { fin = true, mask = true, reserved = 0 } = {}): void {
    const data = Buffer.from(payload);
    const head = Buffer.from([
      (fin ? 0x80 : 0) | (reserved << 4) | opcode,
      (mask ? 0x80 : 0) | lengthCode(data.length),
    ]);
    if (!mask) return void this.socket.write(Buffer.concat([head, extendedLength(data.length), data]));
    const key = randomBytes(4);
    const masked = data.map((byte, index) => byte ^ key[index % 4]!);
    this.socket.write(Buffer.concat([head, extendedLength(data.length), key, masked]));
  }

  /** The next frame that is not a ping; undefined when the server has closed the connection. */
  async next(timeoutMs = 10_000): Promise<RawFrame | undefined> {
    const until = Date.now() + timeoutMs;
    while (this.frames.length === 0 && !this.ended) {
      const left = until - Date.now();
      if (left <= 0) throw new Error(`no frame within ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.frames.shift();
  }

  /** The next text frame as JSON. */
  async nextEvent(): Promise<{ type: string } & Record<string, unknown>> {
    for (;;) {
      const frame = await this.next();
      if (!frame) throw new Error('the server closed the connection');
      if (frame.opcode === opcodes.text) return JSON.parse(frame.payload.toString());
      if (frame.opcode === opcodes.close) throw new Error(`closed with ${frame.payload.readUInt16BE(0)}`);
    }
  }

  /** The code the server closes with, passing over whatever comes before. */
  async closeCode(): Promise<number | undefined> {
    for (let frame = await this.next(); frame; frame = await this.next()) {
      if (frame.opcode === opcodes.close) return frame.payload.length < 2 ? undefined : frame.payload.readUInt16BE(0);
    }
    throw new Error('the connection ended without a close frame');
  }

  destroy(): void {
    this.socket.destroy();
  }

  private parse(): RawFrame | undefined {
    if (this.buffer.length < 2) return undefined;
    const [first, second] = [this.buffer[0]!, this.buffer[1]!];
    const short = second & 0x7f;
    const start = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (this.buffer.length < start) return undefined;
    const length =
      short === 126 ? this.buffer.readUInt16BE(2) : short === 127 ? Number(this.buffer.readBigUInt64BE(2)) : short;
    if (this.buffer.length < start + length) return undefined;
    const payload = this.buffer.subarray(start, start + length);
    this.buffer = this.buffer.subarray(start + length);
    return { fin: (first & 0x80) !== 0, opcode: first & 0x0f, payload };
  }
}

function handshake(socket: Socket, path: string, apiKey: string): Promise<string> {
  const key = randomBytes(16).toString('base64');
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer ${apiKey}\r\n\r\n`,
  );
  return new Promise((resolve, reject) => {
    let text = '';
    const read = (data: Buffer) => {
      text += data.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.off('data', read);
      // What came with the answer waits until somebody listens.
      socket.pause();
      const rest = Buffer.from(text.slice(end + 4), 'latin1');
      if (rest.length > 0) socket.unshift(rest);
      resolve(text);
    };
    socket.on('data', read);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed without an answer')));
  });
}

const lengthCode = (length: number) => (length < 126 ? length : length < 65_536 ? 126 : 127);

function extendedLength(length: number): Buffer {
  const code = lengthCode(length);
  const bytes = Buffer.alloc(code === 126 ? 2 : code === 127 ? 8 : 0);
  if (code === 126) bytes.writeUInt16BE(length);
  if (code === 127) bytes.writeBigUInt64BE(BigInt(length));
  return bytes;
}
