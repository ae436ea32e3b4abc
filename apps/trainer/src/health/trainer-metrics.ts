import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** What the trainer tells Prometheus. */
@Injectable()
export class TrainerMetrics {
  readonly registry = new Registry();
  readonly jobs = new Counter({
    name: 'attune_trainer_jobs_total',
    help: 'Training jobs that ended here, by outcome.',
    labelNames: ['outcome'] as const,
    registers: [this.registry],
  });
  readonly running = new Gauge({
    name: 'attune_trainer_running',
    help: '1 while a training job is worked on.',
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }
}
