import type { Logger } from '@attune/platform';
import { Catch, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LOGGER } from '../core/tokens.js';
import { errorBody, retryHeaders, statusOf, toAppError } from './error-body.js';

/** Every error that leaves by HTTP: logged here, once, and written as OpenAI's clients expect it. */
@Catch()
export class OpenAIErrorFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const error = toAppError(thrown);
    const status = statusOf(error);
    const context = { request: request.id, method: request.method, path: request.url.split('?')[0], status };
    if (status >= 500) this.logger.error({ ...context, err: error.cause ?? error }, error.message);
    else this.logger.debug(context, error.message);
    if (reply.sent || reply.raw.headersSent) return;
    void reply.status(status).headers(retryHeaders(error)).send(errorBody(error));
  }
}
