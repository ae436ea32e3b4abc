import type { Config } from '@attune/platform';
import { Module } from '@nestjs/common';
import { CONFIG } from '../core/tokens.js';
import { loadRules, MODERATION_RULES } from './load-rules.js';
import { ModerationsController } from './moderations.controller.js';

@Module({
  controllers: [ModerationsController],
  providers: [{ provide: MODERATION_RULES, useFactory: (config: Config) => loadRules(config), inject: [CONFIG] }],
})
export class ModerationsModule {}
