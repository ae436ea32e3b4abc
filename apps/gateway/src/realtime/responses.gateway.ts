import type { ResponseCreateEvent } from '@attune/contracts';
import type { Logger } from '@attune/platform';
import { Inject, type BeforeApplicationShutdown } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import { AuthService } from '../auth/auth.service.js';
import { socketKey } from '../auth/credentials.js';
import { LOGGER } from '../core/tokens.js';
import { toAppError } from '../openai/error-body.js';
import { readFrame } from './client-message.js';
import { ResponsesService } from '../responses/responses.service.js';
import { ResponsesSession } from './responses-session.js';
import { callerOf } from './socket-caller.js';
import { SocketChannel } from './socket-channel.js';

/** `GET /v1/responses` as an upgrade: OpenAI's Responses over a socket. */
@WebSocketGateway({ path: '/v1/responses' })
export class ResponsesGateway implements OnGatewayConnection<WebSocket>, BeforeApplicationShutdown {
  private readonly open = new Map<SocketChannel, ResponsesSession>();

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly responses: ResponsesService,
    private readonly auth: AuthService,
  ) {}

  handleConnection(socket: WebSocket, request: IncomingMessage): void {
    const channel = new SocketChannel(socket);
    const caller = callerOf(request);
    const session = new ResponsesSession({
      send: (event) => channel.send(event),
      stream: (question) => this.stream(request, question, channel.closed),
      takeRequest: () => this.auth.takeRequest(caller),
      onError: (error) => this.logger.error({ err: error.cause ?? error }, `responses: ${error.message}`),
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
  }

  /** A socket may stay open for days; a key that was revoked meanwhile gets no more answers. */
  private async *stream(request: IncomingMessage, question: ResponseCreateEvent, signal: AbortSignal) {
    const caller = await this.auth.authenticateAgain(socketKey(request.headers));
    yield* this.responses.stream(caller, question, signal);
  }

  /** Responses under way are finished before their sockets close. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(
      [...this.open].map(async ([channel, session]) => {
        await session.idle();
        channel.close();
      }),
    );
  }
}
