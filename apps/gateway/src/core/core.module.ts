import { systemClock, type Config, type Logger } from '@attune/platform';
import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Draining } from './draining.js';
import { EventBus } from './events.js';
import { GatewayInstance } from './gateway-instance.js';
import { OwedWrites } from './owed-writes.js';
import { CLOCK, CONFIG, LOGGER } from './tokens.js';

/** What every feature may ask for: settings, logger, clock, events. */
@Global()
@Module({})
export class CoreModule {
  static forRoot(config: Config, logger: Logger): DynamicModule {
    return {
      module: CoreModule,
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: LOGGER, useValue: logger },
        { provide: CLOCK, useValue: systemClock },
        EventBus,
        Draining,
        GatewayInstance,
        OwedWrites,
      ],
      exports: [CONFIG, LOGGER, CLOCK, EventBus, Draining, GatewayInstance, OwedWrites],
    };
  }
}
