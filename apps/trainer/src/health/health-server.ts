import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TuningRepository } from '@attune/persistence';
import { type Config, type Logger, messageOf } from '@attune/platform';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, LOGGER } from '../core-tokens.js';
import { TrainerMetrics } from './trainer-metrics.js';

/**
 * GET /health/live, /health/ready and /metrics on this machine only: the trainer has no other business with HTTP, so
 * it carries no web framework.
 */
@Injectable()
export class HealthServer implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly server: Server = createServer((request, response) => void this.answer(request, response));

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly tuning: TuningRepository,
    private readonly metrics: TrainerMetrics,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const port = this.config.tuning.trainerHealthPort;
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, '127.0.0.1', resolve);
    });
    const { port: bound } = this.server.address() as AddressInfo;
    this.logger.info({ port: bound }, `trainer ready; health and metrics on http://127.0.0.1:${bound}`);
  }

  async onApplicationShutdown(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (status: number, type: string, body: string) =>
      response.writeHead(status, { 'content-type': type }).end(body);
    const route = request.method === 'GET' ? request.url : undefined;
    if (route === '/health/live') send(200, 'application/json', '{"status":"ok"}');
    else if (route === '/health/ready') await this.ready(send);
    else if (route === '/metrics') send(200, this.metrics.registry.contentType, await this.metrics.registry.metrics());
    else send(404, 'application/json', '{"error":"there are /health/live, /health/ready and /metrics"}');
  }

  private async ready(send: (status: number, type: string, body: string) => void): Promise<void> {
    try {
      await this.tuning.list(1);
      send(200, 'application/json', '{"status":"ok"}');
    } catch (error) {
      this.logger.warn(`not ready: ${messageOf(error)}`);
      send(503, 'application/json', '{"status":"the database does not answer"}');
    }
  }
}
