import { Module } from '@nestjs/common';
import { ChatModule } from '../chat/chat.module.js';
import { ResponsesModule } from '../responses/responses.module.js';
import { RealtimeGateway } from './realtime.gateway.js';
import { ResponsesGateway } from './responses.gateway.js';

/** The sockets. */
@Module({ imports: [ChatModule, ResponsesModule], providers: [RealtimeGateway, ResponsesGateway] })
export class RealtimeModule {}
