import { Module } from '@nestjs/common';
import { EvalRows } from './eval-rows.js';
import { EvalRunner } from './eval-runner.js';
import { EvalSampler } from './eval-sampler.js';
import { EvalsController } from './evals.controller.js';
import { EvalsService } from './evals.service.js';
import { GradersController } from './graders.controller.js';

@Module({
  controllers: [EvalsController, GradersController],
  providers: [EvalsService, EvalRunner, EvalRows, EvalSampler],
})
export class EvalsModule {}
