import type { Role } from '@attune/contracts';
import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** Who a request comes from. */
export interface Caller {
  userId: string;
  userName: string;
  role: Role;
  userCreated: Date;
  keyId: string;
  /** The conversation a trusted front end files this request under. */
  conversationId?: string;
  /** Nobody waits for the answer: work in the background, which goes behind what somebody waits for. */
  patient?: boolean;
  /** Of work in the background: aborted when its answer is of no use any more, and need not come to its end. */
  unwanted?: AbortSignal;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller?: Caller;
  }
}

export const ROLE_METADATA = 'attune:role';
export const PUBLIC_METADATA = 'attune:public';

/** The least role a route asks for; without it any key will do. */
export const Roles = (role: Role) => SetMetadata(ROLE_METADATA, role);

/** No key asked for: health checks and the console's own files, nothing else. */
export const Public = () => SetMetadata(PUBLIC_METADATA, true);

/** The caller the guard has established. */
export const CurrentCaller = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<FastifyRequest>().caller,
);

const ranks: Record<Role, number> = { user: 0, reviewer: 1, admin: 2 };

/** Each role may do what the ones before it may. */
export const mayActAs = (role: Role, needed: Role): boolean => ranks[role] >= ranks[needed];
