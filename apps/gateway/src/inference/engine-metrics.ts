import { Inject, Injectable } from '@nestjs/common';
import { ENGINE } from '../core/tokens.js';
import { Metrics } from '../metrics/metrics.js';
import { InferenceService } from './inference.service.js';
import type { ServingEngine } from './serving-engine.js';

/** The engine's numbers, read when Prometheus asks. */
@Injectable()
export class EngineMetrics {
  constructor(metrics: Metrics, inference: InferenceService, @Inject(ENGINE) engine: ServingEngine) {
    metrics.gauge('attune_queue_depth', 'Requests waiting for a slot of the engine', () => inference.queueDepth);
    metrics.gauge('attune_engine_restarts', 'Times the engine process was replaced', () => engine.restarts);
    metrics.gauge('attune_engine_ready', '1 while the engine process is up', () => Number(engine.ready));
  }
}
