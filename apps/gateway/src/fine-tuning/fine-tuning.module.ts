import { Module } from '@nestjs/common';
import { OpenAIModule } from '../openai/openai.module.js';
import { CheckpointPermissionsController } from './checkpoint-permissions.controller.js';
import { FineTuningController } from './fine-tuning.controller.js';
import { FineTuningService } from './fine-tuning.service.js';

@Module({
  imports: [OpenAIModule],
  controllers: [FineTuningController, CheckpointPermissionsController],
  providers: [FineTuningService],
})
export class FineTuningModule {}
