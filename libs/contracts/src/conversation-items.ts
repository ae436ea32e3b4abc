import { z } from 'zod';
import { metadata, type Metadata } from './paging.js';
import { responseInputItem } from './response-items.js';
import { responseInclude } from './responses.js';

const MOST_ITEMS = 20;

/** POST /v1/conversations, https://platform.openai.com/docs/api-reference/conversations/create */
export const createConversationRequest = z.strictObject({
  items: z.array(responseInputItem).max(MOST_ITEMS).nullish(),
  metadata: metadata.nullish(),
});
export type CreateConversationRequest = z.output<typeof createConversationRequest>;

/** POST /v1/conversations/{id} */
export const updateConversationRequest = z.strictObject({ metadata: metadata.nullable() });
export type UpdateConversationRequest = z.output<typeof updateConversationRequest>;

/** POST /v1/conversations/{id}/items */
export const createConversationItemsRequest = z.strictObject({
  items: z.array(responseInputItem).min(1).max(MOST_ITEMS),
});
export type CreateConversationItemsRequest = z.output<typeof createConversationItemsRequest>;

/** The query string where only `include` may stand. */
export const includeQuery = z.strictObject({
  include: z.preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(responseInclude)).optional(),
});

export interface ConversationObject {
  id: string;
  object: 'conversation';
  created_at: number;
  metadata: Metadata;
}
export interface ConversationDeleted {
  id: string;
  object: 'conversation.deleted';
  deleted: true;
}
