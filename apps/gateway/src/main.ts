import 'reflect-metadata';
import {
  createLogger,
  exitWithParent,
  exitWithSentence,
  loadConfig,
  messageOf,
  outputInBackground,
  UnavailableError,
} from '@attune/platform';
import { createGateway } from './create-gateway.js';
import { loadModel } from './inference/load-model.js';
import { placeOf } from '@attune/persistence';

/** Starts the gateway and stops it in good order on SIGTERM, Ctrl-C, or when its supervisor is gone. */
async function run(): Promise<void> {
  const config = loadConfig();
  const logger = createLogger('gateway', config.logging.logLevel, outputInBackground());
  const loaded = await loadModel(config, logger);
  const gateway = await createGateway(config, logger, loaded).catch(async (error: unknown) => {
    await loaded.engine.close();
    throw listenError(error, config.http.host, config.http.port);
  });
  logger.info(`listening on ${config.http.host}:${gateway.port}, database ${placeOf(config.database.databaseUrl!)}`);
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= gateway.close());
  const stopAndExit = () => {
    void stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, `could not stop in good order: ${messageOf(error)}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stopAndExit);
  process.on('SIGINT', stopAndExit);
  exitWithParent(stop);
}

function listenError(error: unknown, host: string, port: number): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error;
  return new UnavailableError(`Port ${port} on ${host} is taken; stop what listens there or set another PORT.`, {
    cause: error,
  });
}

run().catch(exitWithSentence);
