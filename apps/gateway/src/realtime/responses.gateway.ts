import type { ResponseRequest } from '@attune/contracts';
import type { Logger } from '@attune/platform';
import { Inject, type BeforeApplicationShutdown } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import { AuthService } from '../auth/auth.service.js';
import { socketKey } from '../auth/credentials.js';
import { Draining } from '../core/draining.js';
import { LOGGER } from '../core/tokens.js';
import { ResponsesService, type SocketMemory } from '../responses/responses.service.js';
import { ResponsesSession } from './responses-session.js';
import { callerOf } from './socket-caller.js';
import type { SocketChannel } from './socket-channel.js';
import { SocketSessions } from './socket-sessions.js';

/** `GET /v1/responses` as an upgrade: OpenAI's Responses over a socket. */
@WebSocketGateway({ path: '/v1/responses' })
export class ResponsesGateway implements OnGatewayConnection<WebSocket>, BeforeApplicationShutdown {
  private readonly sessions: SocketSessions;

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly responses: ResponsesService,
    private readonly auth: AuthService,
    draining: Draining,
  ) {
    this.sessions = new SocketSessions(draining, 'websocket_connection_limit_reached');
  }

  handleConnection(socket: WebSocket, request: IncomingMessage): void {
    this.sessions.add(socket, (channel) => this.session(channel, request));
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.sessions.drain();
  }

  private session(channel: SocketChannel, request: IncomingMessage): ResponsesSession {
    const caller = callerOf(request);
    // A socket may stay open for an hour; a key that was revoked meanwhile gets no more answers.
    const callerNow = () => this.auth.authenticateAgain(socketKey(request.headers));
    const { responses } = this;
    return new ResponsesSession({
      send: (event) => channel.send(event),
      async *stream(question: ResponseRequest, memory: SocketMemory) {
        yield* responses.stream(await callerNow(), question, channel.closed, { memory });
      },
      async *file(question: ResponseRequest, memory: SocketMemory) {
        yield* responses.file(await callerNow(), question, memory);
      },
      takeRequest: () => this.auth.takeRequest(caller),
      onError: (error) => this.logger.error({ err: error.cause ?? error }, `responses: ${error.message}`),
    });
  }
}
