import type { INestApplicationContext } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { ServerOptions } from 'ws';
import { AuthService } from '../auth/auth.service.js';
import { socketKey } from '../auth/credentials.js';
import { Draining } from '../core/draining.js';
import { errorBody, statusOf, toAppError } from '../openai/error-body.js';
import { setCaller } from './socket-caller.js';

type Verdict = (allowed: boolean, status?: number, message?: string, headers?: OutgoingHttpHeaders) => void;

/** Opens sockets for valid keys only; a refused handshake gets the status and the sentence HTTP would have got. */
export class AuthenticatedWsAdapter extends WsAdapter {
  private readonly auth: AuthService;
  private readonly draining: Draining;

  constructor(
    app: INestApplicationContext,
    private readonly maxPayload: number,
  ) {
    super(app);
    this.auth = app.get(AuthService);
    this.draining = app.get(Draining);
  }

  override create(port: number, options: ServerOptions & Record<string, unknown> = {}): unknown {
    return super.create(port, {
      ...options,
      maxPayload: this.maxPayload,
      // The key stands among the subprotocols a browser offers; only the protocol itself is echoed.
      handleProtocols: (offered: Set<string>) => (offered.has('realtime') ? 'realtime' : false),
      verifyClient: ({ req }: { req: IncomingMessage }, verdict: Verdict) => void this.verify(req, verdict),
    });
  }

  private async verify(request: IncomingMessage, verdict: Verdict): Promise<void> {
    try {
      this.draining.expectRunning();
      const address = request.socket.remoteAddress ?? 'unknown';
      setCaller(request, await this.auth.authenticate(socketKey(request.headers), address));
      verdict(true);
    } catch (thrown) {
      const error = toAppError(thrown);
      verdict(false, statusOf(error), JSON.stringify(errorBody(error)), { 'content-type': 'application/json' });
    }
  }
}
