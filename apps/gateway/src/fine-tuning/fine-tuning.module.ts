import { Module } from '@nestjs/common';
import { CheckpointPermissionsController } from './checkpoint-permissions.controller.js';
import { FineTuningController } from './fine-tuning.controller.js';
import { FineTuningService } from './fine-tuning.service.js';

@Module({ controllers: [FineTuningController, CheckpointPermissionsController], providers: [FineTuningService] })
export class FineTuningModule {}
