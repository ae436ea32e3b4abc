import 'reflect-metadata';
import { createLogger, exitWithParent, loadConfig, messageOf } from '@attune/platform';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { tryDevice } from './model/try-device.js';
import { standBack } from './priority.js';
import { trainerThreads } from './threads.js';

try {
  await start();
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}

async function start(): Promise<void> {
  const config = loadConfig();
  tryDevice(config.tuning.trainerDevice);
  standBack(config.tuning.trainerNice, trainerThreads(config.tuning));
  const logger = createLogger('trainer', config.logging.logLevel);
  const app = await NestFactory.createApplicationContext(AppModule.forRoot(config, logger), {
    logger: false,
    abortOnError: false,
  });
  app.enableShutdownHooks(['SIGTERM', 'SIGINT']);
  exitWithParent(() => app.close());
}
