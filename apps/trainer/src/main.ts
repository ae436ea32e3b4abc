import 'reflect-metadata';
import { getPriority, setPriority } from 'node:os';
import { createLogger, exitWithParent, loadConfig, messageOf } from '@attune/platform';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

/**
 * Training gives way to serving, yet is not starved by it: so much nicer, it gets a quarter of a core that both want.
 * Nicer than it was started, for the gateway beside it was started alike. Set before any thread starts: threads inherit it.
 */
const NICER = 5;
const LOWEST = 19;
setPriority(Math.min(LOWEST, getPriority() + NICER));

try {
  await start();
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}

async function start(): Promise<void> {
  const config = loadConfig();
  const logger = createLogger('trainer', config.logging.logLevel);
  const app = await NestFactory.createApplicationContext(AppModule.forRoot(config, logger), {
    logger: false,
    abortOnError: false,
  });
  app.enableShutdownHooks(['SIGTERM', 'SIGINT']);
  exitWithParent(() => app.close());
}
