import { RateLimitedError, type Config } from '@attune/platform';
import type { INestApplicationContext } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { ServerOptions } from 'ws';
import { AuthService } from '../auth/auth.service.js';
import { ConcurrencyLimiter } from '../auth/concurrency-limiter.js';
import { socketKey } from '../auth/credentials.js';
import { Draining } from '../core/draining.js';
import { errorBody, retryHeaders, statusOf, toAppError } from '../openai/error-body.js';
import { setCaller } from './socket-caller.js';

type Verdict = (allowed: boolean, status?: number, message?: string, headers?: OutgoingHttpHeaders) => void;

/** Opens sockets for valid keys only; a refused handshake gets the status and the sentence HTTP would have got. */
export class AuthenticatedWsAdapter extends WsAdapter {
  private readonly auth: AuthService;
  private readonly sockets: ConcurrencyLimiter;
  private readonly draining: Draining;
  private readonly maxPayload: number;

  constructor(app: INestApplicationContext, { maxSocketsPerKey, bodyLimitBytes }: Config['http']) {
    super(app);
    this.maxPayload = bodyLimitBytes;
    this.sockets = new ConcurrencyLimiter(maxSocketsPerKey, tooManySockets);
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
      const caller = await this.auth.authenticate(socketKey(request.headers), address);
      const leave = this.sockets.acquire(caller.keyId);
      // Also of a handshake that comes to nothing.
      if (request.socket.destroyed) leave();
      else request.socket.once('close', leave);
      setCaller(request, caller);
      verdict(true);
    } catch (thrown) {
      const error = toAppError(thrown);
      const headers = { ...retryHeaders(error), 'content-type': 'application/json' };
      verdict(false, statusOf(error), JSON.stringify(errorBody(error)), headers);
    }
  }
}

const tooManySockets = (count: number) =>
  new RateLimitedError(
    `This API key already has ${count} sockets open, the most it may (MAX_SOCKETS_PER_KEY); close one, or send several requests over one.`,
    { code: 'too_many_sockets', retryAfterSeconds: 1 },
  );
