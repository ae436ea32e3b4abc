import multipart from '@fastify/multipart';
import fastifyStatic from '@fastify/static';
import { CANCEL_ANSWERS_AFTER_MS, createId, type Config, type Logger } from '@attune/platform';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AppModule } from './app.module.js';
import { ChatService } from './chat/chat.service.js';
import { CONSOLE_FOLDER } from './console/console.controller.js';
import { Draining } from './core/draining.js';
import { NestLogger } from './core/nest-logger.js';
import { securityHeaders } from './core/security-headers.js';
import { parseStrictJson } from './core/strict-json.js';
import type { LoadedModel } from './inference/load-model.js';
import { Metrics } from './metrics/metrics.js';
import { errorBody, retryHeaders, statusOf, toAppError } from './openai/error-body.js';
import { AuthenticatedWsAdapter } from './realtime/authenticated-ws-adapter.js';

export interface Gateway {
  port: number;
  app: NestFastifyApplication;
  /** Takes no more requests, lets answers under way end (cancels them after `graceMs`), and closes what is open. */
  close(graceMs?: number): Promise<void>;
}

/** The running gateway: database connected, model loaded, port open. */
export async function createGateway(config: Config, logger: Logger, loaded: LoadedModel): Promise<Gateway> {
  const adapter = new FastifyAdapter({
    bodyLimit: config.http.bodyLimitBytes,
    genReqId: () => createId('req'),
    requestIdHeader: false,
    routerOptions: { maxParamLength: 256 },
    frameworkErrors: refuseUnrouted,
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(config, logger, loaded), adapter, {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  await app.register(multipart, { limits: { fileSize: config.http.uploadLimitBytes, files: 1, fields: 10 } });
  await app.register(fastifyStatic, { root: CONSOLE_FOLDER, serve: false });
  app.useBodyParser('application/json', { bodyLimit: config.http.bodyLimitBytes }, strictJson);
  observe(app);
  refuseWhenStopping(app);
  app.useWebSocketAdapter(new AuthenticatedWsAdapter(app, config.http));
  await app.listen(config.http.port, config.http.host);
  const closeIdle = idleCloser(app.getHttpServer());
  const closeOnce = async (graceMs: number) => {
    app.get(Draining).begin();
    const deadline = setTimeout(() => app.get(ChatService).stop(), graceMs);
    // A connection whose answer ends while the server closes would otherwise be kept alive for a minute.
    const idle = setInterval(closeIdle, 50);
    await app.close().finally(() => {
      clearTimeout(deadline);
      clearInterval(idle);
    });
    await loaded.engine.close();
  };
  let closing: Promise<void> | undefined;
  const close = (graceMs = CANCEL_ANSWERS_AFTER_MS) => (closing ??= closeOnce(graceMs));
  return { port: (app.getHttpServer().address() as AddressInfo).port, app, close };
}

/**
 * Closes connections nobody waits on. Node takes one that was opened ahead and never asked anything for a busy one, and
 * would wait for it more than a minute.
 */
function idleCloser(server: Server): () => void {
  const sockets = new Map<Socket, number>();
  server.on('connection', (socket) => {
    sockets.set(socket, performance.now());
    socket.once('close', () => sockets.delete(socket));
  });
  return () => {
    server.closeIdleConnections();
    for (const [socket, since] of sockets) {
      if (socket.bytesRead === 0 && performance.now() - since > SPEAKS_WITHIN_MS) socket.destroy();
    }
  };
}

/** Who opens a connection to ask something has begun to by then. */
const SPEAKS_WITHIN_MS = 500;

type BodyDone = (error: Error | null, body?: unknown) => void;

function strictJson(_request: unknown, body: Buffer, done: BodyDone): void {
  try {
    done(null, parseStrictJson(body));
  } catch (error) {
    done(error as Error);
  }
}

/** An address that cannot be read, before there are hooks and filters. */
function refuseUnrouted(thrown: Error, request: FastifyRequest, reply: FastifyReply): void {
  const error = toAppError(thrown);
  void reply
    .status(statusOf(error))
    .headers({ ...securityHeaders, 'x-request-id': request.id })
    .send(errorBody(error));
}

/** Every answer carries the id under which the log knows it and what browsers must know; every route is counted. */
function observe(app: NestFastifyApplication): void {
  const metrics = app.get(Metrics);
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.headers(securityHeaders).header('x-request-id', request.id);
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    metrics.request(request.routeOptions.url ?? 'unknown', reply.statusCode);
    done();
  });
}

/** A connection that is kept alive must not bring new work to a server that is stopping; whether it lives, it may ask. */
function refuseWhenStopping(app: NestFastifyApplication): void {
  const draining = app.get(Draining);
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, reply, done) => {
    try {
      if (request.url !== '/health/live') draining.expectRunning();
      done();
    } catch (thrown) {
      const error = toAppError(thrown);
      void reply
        .status(statusOf(error))
        .headers({ ...retryHeaders(error), connection: 'close' })
        .send(errorBody(error));
    }
  });
}
