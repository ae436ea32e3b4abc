import { Module } from '@nestjs/common';
import { ChatModule } from '../chat/chat.module.js';
import { RealtimeGateway } from './realtime.gateway.js';
import { ResponsesGateway } from './responses.gateway.js';
import { ResponsesService } from './responses.service.js';

@Module({ imports: [ChatModule], providers: [RealtimeGateway, ResponsesGateway, ResponsesService] })
export class RealtimeModule {}
