import path from 'node:path';
import { CheckpointStore } from '@attune/checkpoint';
import {
  CheckpointRepository,
  FeedbackRepository,
  FileRepository,
  PersistenceModule,
  TuningRepository,
} from '@attune/persistence';
import { type Config, InvalidRequestError, type Logger, messageOf, systemClock } from '@attune/platform';
import { type DynamicModule, Module } from '@nestjs/common';
import { CLOCK, CONFIG, LOGGER } from './core-tokens.js';
import { DatasetBuilder } from './curation/dataset-builder.js';
import { StoredFiles } from './curation/file-rows.js';
import { HealthServer } from './health/health-server.js';
import { TrainerMetrics } from './health/trainer-metrics.js';
import { JobRunner } from './jobs/job-runner.js';
import { JobData } from './jobs/job-data.js';
import { SavedStates } from './jobs/saved-states.js';
import { TuningRun } from './jobs/tuning-run.js';
import { WeightsInUse } from './jobs/weights-in-use.js';
import { ModelLoader } from './model/model-loader.js';
import { CheckpointPublisher } from './publish/publish-checkpoint.js';

/** Most connections the trainer needs: one for work, one for the heartbeat. */
const POOL_SIZE = 3;

/** The trainer: jobs in from Postgres, checkpoints out to the checkpoint folder. */
@Module({})
export class AppModule {
  static forRoot(config: Config, logger: Logger): DynamicModule {
    const url = config.database.databaseUrl;
    if (url === undefined)
      throw new InvalidRequestError('DATABASE_URL is not set; `npm start` sets it, or name a PostgreSQL yourself');
    const onError = (error: unknown) => logger.warn(`database notifications: ${messageOf(error)}`);
    return {
      module: AppModule,
      imports: [PersistenceModule.forRoot(url, { poolSize: POOL_SIZE, onError })],
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: LOGGER, useValue: logger },
        { provide: CLOCK, useValue: systemClock },
        {
          provide: CheckpointStore,
          useFactory: () => new CheckpointStore(path.join(config.storage.dataDir, 'checkpoints')),
        },
        {
          provide: DatasetBuilder,
          useFactory: (feedback: FeedbackRepository, tuning: TuningRepository, uploads: FileRepository) =>
            new DatasetBuilder(
              feedback,
              tuning,
              new StoredFiles(path.join(config.storage.dataDir, 'datasets'), uploads),
            ),
          inject: [FeedbackRepository, TuningRepository, FileRepository],
        },
        {
          provide: CheckpointPublisher,
          useFactory: (store: CheckpointStore, rows: CheckpointRepository) => new CheckpointPublisher(store, rows),
          inject: [CheckpointStore, CheckpointRepository],
        },
        TrainerMetrics,
        ModelLoader,
        SavedStates,
        WeightsInUse,
        JobData,
        TuningRun,
        JobRunner,
        HealthServer,
      ],
    };
  }
}
