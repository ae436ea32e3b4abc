import { Module } from '@nestjs/common';
import { TuningController } from './tuning.controller.js';
import { TuningService } from './tuning.service.js';
import { TuningTicker } from './tuning-ticker.js';

@Module({ controllers: [TuningController], providers: [TuningService, TuningTicker] })
export class TuningModule {}
