import { UnavailableError } from '@attune/platform';
import { Controller, Get } from '@nestjs/common';
import { Public } from '../auth/caller.js';
import { HealthService, type Health } from './health.service.js';

@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthService) {}

  /** The process answers. */
  @Get('live')
  @Public()
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** 200 when a chat would be served. */
  @Get('ready')
  @Public()
  async ready(): Promise<Health> {
    const health = await this.health.check();
    if (health.status === 'ok') return health;
    throw new UnavailableError(`Not ready: ${health.problems.join('; ')}.`, { code: 'not_ready' });
  }
}
