import { Module } from '@nestjs/common';
import { ConversationItemsController } from './conversation-items.controller.js';
import { ConversationItemsService } from './conversation-items.service.js';

@Module({ controllers: [ConversationItemsController], providers: [ConversationItemsService] })
export class ConversationItemsModule {}
