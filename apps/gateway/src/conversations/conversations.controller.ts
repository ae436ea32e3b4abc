import {
  renameConversationRequest,
  type Conversation,
  type ConversationSummary,
  type ListBody,
  type RenameConversationRequest,
} from '@attune/contracts';
import { ConversationRepository } from '@attune/persistence';
import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query } from '@nestjs/common';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { page, queryNumber } from '../core/list.js';
import { Validated } from '../core/validate.js';
import { conversationView, summaryView } from './conversation.view.js';

/** A user's own conversations. */
@Controller('api/conversations')
export class ConversationsController {
  constructor(private readonly conversations: ConversationRepository) {}

  @Get()
  async list(
    @CurrentCaller() caller: Caller,
    @Query('limit') limitText?: string,
    @Query('before') before?: string,
  ): Promise<ListBody<ConversationSummary>> {
    const limit = queryNumber('limit', limitText, { default: 50, min: 1, max: 200 });
    const rows = await this.conversations.list(caller.userId, limit + 1, before);
    return page(rows.map(summaryView), limit);
  }

  @Get(':id')
  async get(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<Conversation> {
    return conversationView(await this.conversations.get(id, caller.userId));
  }

  @Patch(':id')
  async rename(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body(new Validated(renameConversationRequest)) body: RenameConversationRequest,
  ): Promise<ConversationSummary> {
    return summaryView(await this.conversations.rename(id, caller.userId, body.title));
  }

  @Delete(':id')
  @HttpCode(204)
  remove(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<void> {
    return this.conversations.softDelete(id, caller.userId);
  }
}
