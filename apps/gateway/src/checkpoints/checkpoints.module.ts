import { Module } from '@nestjs/common';
import { CheckpointsController } from './checkpoints.controller.js';
import { CheckpointsService } from './checkpoints.service.js';
import { LiveWatcher } from './live-watcher.js';

@Module({ controllers: [CheckpointsController], providers: [CheckpointsService, LiveWatcher] })
export class CheckpointsModule {}
