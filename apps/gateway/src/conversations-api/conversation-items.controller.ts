import {
  createConversationItemsRequest,
  createConversationRequest,
  includeQuery,
  listItemsQuery,
  updateConversationRequest,
  type ConversationDeleted,
  type ConversationObject,
  type CreateConversationItemsRequest,
  type CreateConversationRequest,
  type CursorPage,
  type ResponseItem,
  type UpdateConversationRequest,
} from '@attune/contracts';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { validate, Validated } from '../core/validate.js';
import { plainQuery } from '../responses/read-response-request.js';
import { ConversationItemsService } from './conversation-items.service.js';

/** https://platform.openai.com/docs/api-reference/conversations */
@Controller('v1/conversations')
export class ConversationItemsController {
  constructor(private readonly conversations: ConversationItemsService) {}

  @Post()
  @HttpCode(200)
  create(
    @CurrentCaller() caller: Caller,
    @Body(new Validated(createConversationRequest)) body: CreateConversationRequest,
  ): Promise<ConversationObject> {
    return this.conversations.create(caller, body);
  }

  @Get(':id')
  get(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<ConversationObject> {
    return this.conversations.get(caller, id);
  }

  @Post(':id')
  @HttpCode(200)
  update(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body(new Validated(updateConversationRequest)) body: UpdateConversationRequest,
  ): Promise<ConversationObject> {
    return this.conversations.update(caller, id, body.metadata);
  }

  @Delete(':id')
  remove(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<ConversationDeleted> {
    return this.conversations.remove(caller, id);
  }

  @Post(':id/items')
  @HttpCode(200)
  addItems(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query() query: unknown,
    @Body(new Validated(createConversationItemsRequest)) body: CreateConversationItemsRequest,
  ): Promise<CursorPage<ResponseItem>> {
    validate(includeQuery, plainQuery(query));
    return this.conversations.addItems(caller, id, body.items);
  }

  @Get(':id/items')
  list(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query() query: unknown,
  ): Promise<CursorPage<ResponseItem>> {
    return this.conversations.list(caller, id, validate(listItemsQuery, plainQuery(query)));
  }

  @Get(':id/items/:item')
  getItem(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Param('item') item: string,
    @Query() query: unknown,
  ): Promise<ResponseItem> {
    validate(includeQuery, plainQuery(query));
    return this.conversations.getItem(caller, id, item);
  }

  @Delete(':id/items/:item')
  removeItem(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Param('item') item: string,
  ): Promise<ConversationObject> {
    return this.conversations.removeItem(caller, id, item);
  }
}
