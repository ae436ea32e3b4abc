import type { Config } from '@attune/platform';
import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { CONFIG } from '../core/tokens.js';
import { AccountsController } from './accounts.controller.js';
import { AuthGuard } from './auth.guard.js';
import { AuthService } from './auth.service.js';
import { ConcurrencyLimiter } from './concurrency-limiter.js';
import { KeyQuotas } from './key-quotas.js';
import { OwnApi } from './own-api.js';

const concurrencyLimiter = {
  provide: ConcurrencyLimiter,
  useFactory: (config: Config) => new ConcurrencyLimiter(config.http.maxConcurrentPerKey),
  inject: [CONFIG],
};

/** Keys, roles and limits; its guard stands before every route of the application. */
@Global()
@Module({
  controllers: [AccountsController],
  providers: [AuthService, OwnApi, KeyQuotas, concurrencyLimiter, { provide: APP_GUARD, useClass: AuthGuard }],
  exports: [AuthService, OwnApi, KeyQuotas, ConcurrencyLimiter],
})
export class AuthModule {}
