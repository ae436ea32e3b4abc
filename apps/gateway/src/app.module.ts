import { PersistenceModule } from '@attune/persistence';
import { InvalidRequestError, type Config, type Logger } from '@attune/platform';
import { Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { AuthModule } from './auth/auth.module.js';
import { BatchesModule } from './batches/batches.module.js';
import { CheckpointsModule } from './checkpoints/checkpoints.module.js';
import { CompletionsModule } from './completions/completions.module.js';
import { ConsoleModule } from './console/console.module.js';
import { ConversationItemsModule } from './conversations-api/conversation-items.module.js';
import { ConversationsModule } from './conversations/conversations.module.js';
import { CoreModule } from './core/core.module.js';
import { GatewayInstance } from './core/gateway-instance.js';
import { OwedWrites } from './core/owed-writes.js';
import { DocumentsModule } from './documents/documents.module.js';
import { EmbeddingsModule } from './embeddings/embeddings.module.js';
import { EvalsModule } from './evals/evals.module.js';
import { FeedbackModule } from './feedback/feedback.module.js';
import { FilesModule } from './files/files.module.js';
import { FineTuningModule } from './fine-tuning/fine-tuning.module.js';
import { HealthModule } from './health/health.module.js';
import { InferenceModule } from './inference/inference.module.js';
import type { LoadedModel } from './inference/load-model.js';
import { LineageModule } from './lineage/lineage.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { ModerationsModule } from './moderations/moderations.module.js';
import { OpenAIErrorFilter } from './openai/openai-error.filter.js';
import { OpenAIModule } from './openai/openai.module.js';
import { RealtimeModule } from './realtime/realtime.module.js';
import { ResponsesModule } from './responses/responses.module.js';
import { RetentionModule } from './retention/retention.module.js';
import { ReviewModule } from './review/review.module.js';
import { TuningModule } from './tuning/tuning.module.js';
import { VectorStoresModule } from './vector-stores/vector-stores.module.js';
import { WebhooksModule } from './webhooks/webhooks.module.js';

/** The gateway's table of contents. */
@Module({})
export class AppModule implements OnApplicationShutdown {
  constructor(
    private readonly owed: OwedWrites,
    private readonly instance: GatewayInstance,
  ) {}

  /** After the last answer and before the modules that are everywhere, among them the one that closes the database. */
  async onApplicationShutdown(): Promise<void> {
    await this.owed.end();
    await this.instance.end();
  }

  static forRoot(config: Config, logger: Logger, loaded: LoadedModel): DynamicModule {
    return {
      module: AppModule,
      imports: [
        // the ground everything stands on
        CoreModule.forRoot(config, logger),
        PersistenceModule.forRoot(databaseUrl(config), {
          poolSize: config.database.databasePoolSize,
          onError: (error) => logger.warn({ err: error }, 'the notification connection was lost; it is made again'),
        }),
        MetricsModule,
        AuthModule,
        InferenceModule.forRoot(loaded),
        // talking to the model
        OpenAIModule,
        CompletionsModule,
        ResponsesModule,
        RealtimeModule,
        ConversationsModule,
        ConversationItemsModule,
        DocumentsModule,
        FilesModule,
        VectorStoresModule,
        BatchesModule,
        EmbeddingsModule,
        ModerationsModule,
        // teaching it
        FeedbackModule,
        ReviewModule,
        TuningModule,
        FineTuningModule,
        EvalsModule,
        CheckpointsModule,
        LineageModule,
        // telling others
        WebhooksModule,
        // running it
        RetentionModule,
        HealthModule,
        ConsoleModule,
      ],
      providers: [{ provide: APP_FILTER, useClass: OpenAIErrorFilter }],
    };
  }
}

function databaseUrl(config: Config): string {
  const { databaseUrl: url } = config.database;
  if (url === undefined) {
    throw new InvalidRequestError('The gateway needs DATABASE_URL; `npm start` sets it for the embedded PostgreSQL.');
  }
  return url;
}
