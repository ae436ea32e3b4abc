import type { ChatMessage, RealtimeItem } from '@attune/contracts';
import { InvalidRequestError, NotFoundError } from '@attune/platform';

export interface StoredItem extends RealtimeItem {
  id: string;
  object: 'realtime.item';
  status: 'completed' | 'incomplete' | 'in_progress';
}

/** What one session may hold in memory; no context is nearly as long. */
const MOST_ITEMS = 1_000;
const MOST_CHARACTERS = 4_000_000;

/** The items of one Realtime session, in order. */
export class RealtimeConversation {
  private readonly items: StoredItem[] = [];

  constructor(private readonly newId: () => string) {}

  /**
   * @param after id of the item before it, `root` for the front, nothing for the end
   * @returns the item and the id of the one before it
   * @throws InvalidRequestError when its id is taken or the session is full, NotFoundError when there is no item `after`
   */
  add(item: RealtimeItem, after?: string | null): { item: StoredItem; previousId: string | null } {
    const id = item.id ?? this.newId();
    if (this.items.some((one) => one.id === id)) {
      throw new InvalidRequestError(`There is an item \`${id}\` already.`, { param: 'item.id' });
    }
    this.expectRoom(item);
    const place = this.placeAfter(after);
    const stored: StoredItem = { ...item, id, object: 'realtime.item', status: item.status ?? 'completed' };
    this.items.splice(place, 0, stored);
    return { item: stored, previousId: this.items[place - 1]?.id ?? null };
  }

  /** @throws NotFoundError */
  get(id: string): StoredItem {
    const item = this.items.find((one) => one.id === id);
    if (!item)
      throw new NotFoundError(`This session has no item \`${id}\`.`, { param: 'item_id', code: 'item_not_found' });
    return item;
  }

  lastId(): string | null {
    return this.items.at(-1)?.id ?? null;
  }

  /** The same item, further on; one that was deleted meanwhile stays deleted. */
  replace(item: StoredItem): void {
    const place = this.items.findIndex((one) => one.id === item.id);
    if (place >= 0) this.items[place] = item;
  }

  /** @throws NotFoundError */
  remove(id: string): void {
    this.items.splice(this.items.indexOf(this.get(id)), 1);
  }

  /** What the model is asked; an answer still being written is not part of it. */
  messages(): ChatMessage[] {
    return this.items.filter((item) => item.status !== 'in_progress').map(itemMessage);
  }

  private expectRoom(item: RealtimeItem): void {
    const characters = this.items.reduce((sum, one) => sum + lengthOf(one), lengthOf(item));
    if (this.items.length < MOST_ITEMS && characters <= MOST_CHARACTERS) return;
    throw new InvalidRequestError(
      `A session holds at most ${MOST_ITEMS} items of ${MOST_CHARACTERS} characters together; delete some with conversation.item.delete or open another session.`,
      { param: 'item', code: 'session_full' },
    );
  }

  private placeAfter(id: string | null | undefined): number {
    if (id === undefined || id === null) return this.items.length;
    return id === 'root' ? 0 : this.items.indexOf(this.get(id)) + 1;
  }
}

const lengthOf = (item: RealtimeItem) => item.content.reduce((sum, part) => sum + part.text.length, 0);

export const itemMessage = (item: RealtimeItem): ChatMessage => ({
  role: item.role,
  content: item.content.map((part) => part.text).join(''),
});
