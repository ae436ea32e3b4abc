import {
  chatCompletionUpdate,
  type ChatCompletion,
  type ChatCompletionDeleted,
  type CursorPage,
  type StoredChatMessage,
} from '@attune/contracts';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { Validated } from '../core/validate.js';
import { StoredCompletionsService } from './stored-completions.service.js';

/** Completions made with `store: true`, https://platform.openai.com/docs/api-reference/chat/list */
@Controller('v1/chat/completions')
export class StoredCompletionsController {
  constructor(private readonly stored: StoredCompletionsService) {}

  @Get()
  list(@CurrentCaller() caller: Caller, @Query() query: Record<string, string>): Promise<CursorPage<ChatCompletion>> {
    return this.stored.list(caller.userId, query);
  }

  @Get(':id')
  get(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<ChatCompletion> {
    return this.stored.get(caller.userId, id);
  }

  @Post(':id')
  @HttpCode(200)
  update(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body(new Validated(chatCompletionUpdate)) update: { metadata: Record<string, string> | null },
  ): Promise<ChatCompletion> {
    return this.stored.update(caller.userId, id, update.metadata ?? {});
  }

  @Delete(':id')
  delete(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<ChatCompletionDeleted> {
    return this.stored.delete(caller.userId, id);
  }

  @Get(':id/messages')
  messages(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query() query: Record<string, string>,
  ): Promise<CursorPage<StoredChatMessage>> {
    return this.stored.messages(caller.userId, id, query);
  }
}
