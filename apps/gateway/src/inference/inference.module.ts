import { Global, Module, type DynamicModule } from '@nestjs/common';
import { ENGINE } from '../core/tokens.js';
import { CheckpointAccess } from './checkpoint-access.js';
import { EngineMetrics } from './engine-metrics.js';
import { EngineRestarts } from './engine-restarts.js';
import { InferenceService } from './inference.service.js';
import { LiveWeights } from './live-weights.js';
import type { LoadedModel } from './load-model.js';
import { ModelPlaces } from './model-places.js';
import { ServedModel } from './served-model.js';
import { ServedWeights } from './served-weights.js';

/** The model, its tokenizer and the engine that runs it. */
@Global()
@Module({})
export class InferenceModule {
  static forRoot({ engine, restarts, model }: LoadedModel): DynamicModule {
    return {
      module: InferenceModule,
      providers: [
        { provide: ENGINE, useValue: engine },
        { provide: EngineRestarts, useValue: restarts },
        { provide: ServedModel, useValue: model },
        InferenceService,
        LiveWeights,
        ModelPlaces,
        ServedWeights,
        CheckpointAccess,
        EngineMetrics,
      ],
      exports: [
        ENGINE,
        EngineRestarts,
        ServedModel,
        InferenceService,
        LiveWeights,
        ModelPlaces,
        ServedWeights,
        CheckpointAccess,
      ],
    };
  }
}
