import type {
  ConversationDeleted,
  ConversationObject,
  CreateConversationRequest,
  CursorPage,
  ListItemsQuery,
  ResponseInputItem,
  ResponseItem,
} from '@attune/contracts';
import { ConversationItemRepository, ConversationRepository, type Conversation } from '@attune/persistence';
import { ConflictError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { conversationTitle } from '../chat/prompt.js';
import { seconds } from '../core/seconds.js';
import { itemMessages } from '../responses/item-messages.js';
import { cursorPage } from '../responses/item-page.js';
import { inputItems, resolveReferences } from '../responses/items.js';

/** Conversations as lists of items; a user has only their own. Every method throws NotFoundError for others'. */
@Injectable()
export class ConversationItemsService {
  constructor(
    private readonly items: ConversationItemRepository,
    private readonly conversations: ConversationRepository,
  ) {}

  async create(caller: Caller, request: CreateConversationRequest): Promise<ConversationObject> {
    const items = storedItems(request.items ?? []);
    const title = conversationTitle(itemMessages(items.filter((item) => item.type === 'message')));
    return view(await this.items.create(caller.userId, title, request.metadata ?? {}, items));
  }

  async get(caller: Caller, id: string): Promise<ConversationObject> {
    return view(await this.items.get(id, caller.userId));
  }

  async update(caller: Caller, id: string, metadata: object | null): Promise<ConversationObject> {
    return view(await this.items.setMetadata(id, caller.userId, metadata ?? {}));
  }

  /** Hides it; its items stay, because answers refer to them. */
  async remove(caller: Caller, id: string): Promise<ConversationDeleted> {
    await this.conversations.softDelete(id, caller.userId);
    return { id, object: 'conversation.deleted', deleted: true };
  }

  /** @throws ConflictError for an item whose id the conversation has */
  async addItems(caller: Caller, id: string, input: ResponseInputItem[]): Promise<CursorPage<ResponseItem>> {
    await this.items.get(id, caller.userId);
    const { items: there } = await this.items.all(id);
    const items = storedItems(input, there);
    const taken = items.find((item) => there.some((one) => one.id === item.id));
    if (taken) {
      throw new ConflictError(`The conversation has an item \`${taken.id}\` already; leave the id out.`, {
        param: 'items',
      });
    }
    await this.items.append(id, items);
    return cursorPage(items, items.length);
  }

  async list(caller: Caller, id: string, query: ListItemsQuery): Promise<CursorPage<ResponseItem>> {
    await this.items.get(id, caller.userId);
    return cursorPage(await this.items.page(id, query), query.limit);
  }

  async getItem(caller: Caller, id: string, itemId: string): Promise<ResponseItem> {
    await this.items.get(id, caller.userId);
    return this.items.getItem(id, itemId);
  }

  async removeItem(caller: Caller, id: string, itemId: string): Promise<ConversationObject> {
    const conversation = await this.items.get(id, caller.userId);
    await this.items.removeItem(id, itemId);
    return view(conversation);
  }
}

const storedItems = (input: ResponseInputItem[], known: ResponseItem[] = []) =>
  resolveReferences(inputItems(input), known);

const view = ({ id, createdAt, metadata }: Conversation): ConversationObject => ({
  id,
  object: 'conversation',
  created_at: seconds(createdAt),
  metadata,
});
