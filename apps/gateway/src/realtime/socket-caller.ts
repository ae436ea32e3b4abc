import { InternalError } from '@attune/platform';
import type { IncomingMessage } from 'node:http';
import type { Caller } from '../auth/caller.js';

const callers = new WeakMap<IncomingMessage, Caller>();

/** Notes whose socket a handshake opens. */
export function setCaller(request: IncomingMessage, caller: Caller): void {
  callers.set(request, caller);
}

/** @throws InternalError for a handshake that nobody has authenticated */
export function callerOf(request: IncomingMessage): Caller {
  const caller = callers.get(request);
  if (!caller) throw new InternalError('A socket was opened without authentication.');
  return caller;
}
