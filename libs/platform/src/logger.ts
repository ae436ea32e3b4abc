import { pino, type Logger } from 'pino';

export type { Logger };

/** Paths whose values never reach a log. */
export const REDACTED_PATHS = [
  'req.headers.authorization',
  'req.headers["x-api-key"]',
  'req.headers.cookie',
  'req.headers["sec-websocket-protocol"]',
  'adminKey',
  'databaseUrl',
  '*.password',
  '*.secret',
];

/** One JSON line an event on standard output; `name` says which process speaks. */
export function createLogger(name: string, level: string): Logger {
  return pino({ name, level, redact: REDACTED_PATHS, base: { name, pid: process.pid } });
}
