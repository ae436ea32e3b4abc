import type { Logger } from '@attune/platform';
import { Inject, type BeforeApplicationShutdown } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import { AuthService } from '../auth/auth.service.js';
import { socketKey } from '../auth/credentials.js';
import { ChatService } from '../chat/chat.service.js';
import type { ChatRequest } from '../chat/chat.types.js';
import { LOGGER } from '../core/tokens.js';
import { ServedModel } from '../inference/served-model.js';
import { toAppError } from '../openai/error-body.js';
import { readFrame } from './client-message.js';
import { RealtimeSession } from './realtime-session.js';
import { SocketChannel } from './socket-channel.js';
import { callerOf } from './socket-caller.js';

const POLICY_VIOLATION = 1008;

/** `GET /v1/realtime?model=…`: OpenAI's Realtime protocol, its text events. */
@WebSocketGateway({ path: '/v1/realtime' })
export class RealtimeGateway implements OnGatewayConnection<WebSocket>, BeforeApplicationShutdown {
  private readonly open = new Map<SocketChannel, RealtimeSession>();

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly chat: ChatService,
    private readonly auth: AuthService,
    private readonly model: ServedModel,
  ) {}

  handleConnection(socket: WebSocket, request: IncomingMessage): void {
    const channel = new SocketChannel(socket);
    const caller = callerOf(request);
    const session = new RealtimeSession(this.model.id, {
      send: (event) => channel.send(event),
      answer: (question, signal) => this.answer(request, question, AbortSignal.any([signal, channel.closed])),
      takeRequest: () => this.auth.takeRequest(caller),
      onError: (error) => this.logger.error({ err: error.cause ?? error }, `realtime: ${error.message}`),
    });
    this.open.set(channel, session);
    channel.closed.addEventListener('abort', () => this.open.delete(channel));
    socket.on('message', (data, isBinary) => {
      try {
        void session.receive(readFrame(data, isBinary));
      } catch (thrown) {
        void session.reportError(toAppError(thrown));
      }
    });
    void this.begin(channel, session, request);
  }

  /** Running responses are cancelled, and their clients told so, before the sockets close. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(
      [...this.open].map(async ([channel, session]) => {
        await session.end();
        channel.close();
      }),
    );
  }

  /** A socket may stay open for days; a key that was revoked meanwhile gets no more answers. */
  private async *answer(request: IncomingMessage, question: ChatRequest, signal: AbortSignal) {
    const caller = await this.auth.authenticateAgain(socketKey(request.headers));
    yield* this.chat.answer(caller, question, signal);
  }

  private async begin(channel: SocketChannel, session: RealtimeSession, request: IncomingMessage): Promise<void> {
    try {
      this.model.expect(new URL(request.url ?? '', 'ws://gateway').searchParams.get('model') ?? 'default');
      await session.begin();
    } catch (thrown) {
      const error = toAppError(thrown);
      await session.reportError(error);
      channel.close(POLICY_VIOLATION, error.code);
    }
  }
}
