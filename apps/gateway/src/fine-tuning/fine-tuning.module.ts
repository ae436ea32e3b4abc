import { Module } from '@nestjs/common';
import { FineTuningController } from './fine-tuning.controller.js';
import { FineTuningService } from './fine-tuning.service.js';

@Module({ controllers: [FineTuningController], providers: [FineTuningService] })
export class FineTuningModule {}
