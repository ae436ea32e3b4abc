import { UnavailableError, type AppError } from '@attune/platform';
import type { RawData, WebSocket } from 'ws';
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

/** The open sockets of one protocol. */
export class SocketSessions<Session extends SocketSession> {
  private readonly open = new Map<SocketChannel, Session>();
  private stopping = false;

  /** @param begin makes the session of a channel */
  add(socket: WebSocket, begin: (channel: SocketChannel) => Session): Session {
    const channel = new SocketChannel(socket);
    const session = begin(channel);
    this.open.set(channel, session);
    channel.closed.addEventListener('abort', () => this.open.delete(channel));
    socket.on('message', (data, isBinary) => void this.take(session, data, isBinary));
    return session;
  }

  /** Takes no more events, lets what is under way end, and closes every socket. */
  async drain(): Promise<void> {
    this.stopping = true;
    await Promise.all(
      [...this.open].map(async ([channel, session]) => {
        await session.idle();
        channel.close();
      }),
    );
  }

  private async take(session: Session, data: RawData, isBinary: boolean): Promise<void> {
    try {
      const frame = readFrame(data, isBinary);
      // A running answer may still be cancelled.
      if (this.stopping && frame.type !== 'response.cancel') throw stoppingError();
      await session.receive(frame);
    } catch (thrown) {
      await session.reportError(toAppError(thrown));
    }
  }
}

const stoppingError = () =>
  new UnavailableError('The server is stopping and takes nothing new; connect again.', {
    code: 'server_stopping',
    retryAfterSeconds: 1,
  });
