import type { Role } from '@attune/contracts';
import { ForbiddenError, type Config } from '@attune/platform';
import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { CONFIG } from '../core/tokens.js';
import { AuthService } from './auth.service.js';
import { mayActAs, PUBLIC_METADATA, ROLE_METADATA, type Caller } from './caller.js';
import { bearerOf, frontEndUser } from './credentials.js';

/** Stands before every HTTP route; only `@Public()` ones go without a key. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly auth: AuthService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // Sockets are authenticated at their handshake and before each answer.
    if (context.getType() !== 'http') return true;
    if (this.metadata<boolean>(PUBLIC_METADATA, context)) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const caller = await this.auth.authenticate(bearerOf(request.headers), request.ip);
    request.caller = await this.person(caller, request);
    const needed = this.metadata<Role>(ROLE_METADATA, context);
    if (needed && !mayActAs(request.caller.role, needed)) {
      throw new ForbiddenError(
        `This needs the role \`${needed}\`; the key of ${caller.userName} has \`${caller.role}\`.`,
      );
    }
    return true;
  }

  /** Only an admin's key may speak for others: with a plain one anybody could read anybody's conversations. */
  private async person(caller: Caller, request: FastifyRequest): Promise<Caller> {
    if (caller.role !== 'admin') return caller;
    const person = this.config.http.trustUserHeaders ? frontEndUser(request.headers) : undefined;
    if (!person) return caller;
    const speaker = await this.auth.onBehalfOf(caller, person.id, person.name);
    return { ...speaker, conversationId: person.conversationId };
  }

  private metadata<Value>(key: string, context: ExecutionContext): Value | undefined {
    return this.reflector.getAllAndOverride<Value | undefined>(key, [context.getHandler(), context.getClass()]);
  }
}
