import { InvalidRequestError, type AppError } from '@attune/platform';
import type { RawData, WebSocket } from 'ws';
import type { Draining } from '../core/draining.js';
import { toAppError } from '../openai/error-body.js';
import { readFrame, type Frame } from './client-message.js';
import { SocketChannel } from './socket-channel.js';

/** What one socket of either protocol can do. */
export interface SocketSession {
  /** Never throws: what is wrong with an event is answered with an `error` event. */
  receive(frame: Frame): Promise<void>;
  reportError(error: AppError): Promise<void>;
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>;
}

/** OpenAI closes a socket after an hour; clients know to open another. */
const OPEN_FOR_MS = 3_600_000;

interface Open {
  channel: SocketChannel;
  session: SocketSession;
  /** Open for too long: takes nothing new, and closes when what runs has ended. */
  expired: boolean;
}

/** The open sockets of one protocol. */
export class SocketSessions {
  private readonly open = new Set<Open>();

  /** @param limitCode the error code that tells a client its hour is over */
  constructor(
    private readonly draining: Draining,
    private readonly limitCode: string,
  ) {}

  /** @param begin makes the session of a channel */
  add(socket: WebSocket, begin: (channel: SocketChannel) => SocketSession): void {
    const channel = new SocketChannel(socket);
    const one: Open = { channel, session: begin(channel), expired: false };
    this.open.add(one);
    const limit = setTimeout(() => void this.expire(one), OPEN_FOR_MS).unref();
    channel.closed.addEventListener('abort', () => {
      clearTimeout(limit);
      this.open.delete(one);
    });
    socket.on('message', (data, isBinary) => void this.take(one, data, isBinary));
  }

  /** Lets what is under way end, and closes every socket. */
  async drain(): Promise<void> {
    await Promise.all(
      [...this.open].map(async ({ channel, session }) => {
        await session.idle();
        channel.close();
      }),
    );
  }

  private async take(one: Open, data: RawData, isBinary: boolean): Promise<void> {
    try {
      const frame = readFrame(data, isBinary);
      // A running answer may still be cancelled.
      if (frame.type !== 'response.cancel') this.expectOpen(one);
      await one.session.receive(frame);
    } catch (thrown) {
      await one.session.reportError(toAppError(thrown));
    }
  }

  private expectOpen({ expired }: Open): void {
    this.draining.expectRunning();
    if (expired) throw this.limitReached();
  }

  private async expire(one: Open): Promise<void> {
    one.expired = true;
    await one.session.reportError(this.limitReached());
    await one.session.idle();
    one.channel.close(undefined, 'the connection was open for 60 minutes');
  }

  private limitReached(): InvalidRequestError {
    return new InvalidRequestError('A connection is open for 60 minutes at most; open another one to go on.', {
      code: this.limitCode,
    });
  }
}
