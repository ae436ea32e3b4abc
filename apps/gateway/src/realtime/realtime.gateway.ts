import type { Logger } from '@attune/platform';
import { Inject, type BeforeApplicationShutdown } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import { AuthService } from '../auth/auth.service.js';
import { socketKey } from '../auth/credentials.js';
import { ChatService } from '../chat/chat.service.js';
import type { ChatRequest } from '../chat/chat.types.js';
import { Draining } from '../core/draining.js';
import { LOGGER } from '../core/tokens.js';
import { ServedModel } from '../inference/served-model.js';
import { toAppError } from '../openai/error-body.js';
import { ContextFitter } from '../responses/context-fitter.js';
import { RealtimeSession } from './realtime-session.js';
import { callerOf } from './socket-caller.js';
import type { SocketChannel } from './socket-channel.js';
import { SocketSessions } from './socket-sessions.js';

const POLICY_VIOLATION = 1008;

/** `GET /v1/realtime?model=…`: OpenAI's Realtime protocol, its text events. */
@WebSocketGateway({ path: '/v1/realtime' })
export class RealtimeGateway implements OnGatewayConnection<WebSocket>, BeforeApplicationShutdown {
  private readonly sessions: SocketSessions;

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly chat: ChatService,
    private readonly auth: AuthService,
    private readonly model: ServedModel,
    private readonly fitter: ContextFitter,
    draining: Draining,
  ) {
    this.sessions = new SocketSessions(draining, 'session_expired');
  }

  handleConnection(socket: WebSocket, request: IncomingMessage): void {
    this.sessions.add(socket, (channel) => {
      const session = this.session(channel, request);
      void this.begin(channel, session);
      return session;
    });
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.sessions.drain();
  }

  private session(channel: SocketChannel, request: IncomingMessage): RealtimeSession {
    const caller = callerOf(request);
    const asked = new URL(request.url ?? '', 'ws://gateway').searchParams.get('model') ?? this.model.id;
    return new RealtimeSession(asked === 'default' ? this.model.id : asked, {
      send: (event) => channel.send(event),
      answer: (question, signal) => this.answer(request, question, AbortSignal.any([signal, channel.closed])),
      takeRequest: () => this.auth.takeRequest(caller),
      requestsLeft: () => this.auth.requestsLeft(caller),
      expectModel: (name) => this.model.expect(name),
      fit: (messages, wishes) => this.fitter.fit(messages, wishes),
      onError: (error) => this.logger.error({ err: error.cause ?? error }, `realtime: ${error.message}`),
    });
  }

  /** A socket may stay open for an hour; a key that was revoked meanwhile gets no more answers. */
  private async *answer(request: IncomingMessage, question: ChatRequest, signal: AbortSignal) {
    const caller = await this.auth.authenticateAgain(socketKey(request.headers));
    yield* this.chat.answer(caller, question, signal);
  }

  private async begin(channel: SocketChannel, session: RealtimeSession): Promise<void> {
    try {
      await session.begin();
    } catch (thrown) {
      const error = toAppError(thrown);
      await session.reportError(error);
      channel.close(POLICY_VIOLATION, error.code);
    }
  }
}
