import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger };

/** Paths whose values never reach a log. */
const REDACTED_PATHS = [
  'req.headers.authorization',
  'req.headers["x-api-key"]',
  'req.headers.cookie',
  'req.headers["sec-websocket-protocol"]',
  'adminKey',
  'databaseUrl',
  '*.password',
  '*.secret',
];

/** Fields of database errors that hold what people wrote, or repeat it. */
const TELLTALE_FIELDS = ['query', 'parameters', 'driverError', 'detail', 'where', 'internalQuery'];

/** An error as it is logged: a failed INSERT would otherwise carry the whole conversation into the log. */
function loggedError(error: Error): object {
  const fields = pino.stdSerializers.err(error);
  if (!(error instanceof Error)) return fields;
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !TELLTALE_FIELDS.includes(name)));
}

/** One JSON line an event, on standard output unless `destination` says otherwise; `name` says which process speaks. */
export function createLogger(name: string, level: string, destination?: DestinationStream): Logger {
  const options = {
    name,
    level,
    redact: REDACTED_PATHS,
    base: { name, pid: process.pid },
    serializers: { err: loggedError },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** How long a line may wait for others to go out with. */
const WAITS_MS = 100;

/**
 * Standard output for a process that must not wait for it: lines go out together, by the page or ten times a second.
 * The last ones of a process that is killed are lost; every other end writes them.
 */
export const outputInBackground = (): DestinationStream =>
  pino.destination({ dest: 1, sync: false, minLength: 4096, periodicFlush: WAITS_MS });
