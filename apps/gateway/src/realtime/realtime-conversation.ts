import type { RealtimeItem, ResponseItem } from '@attune/contracts';
import { InvalidRequestError, NotFoundError } from '@attune/platform';
import { lengthOf, responseItem, storedItem, type StoredItem } from './realtime-items.js';

/** What one session may hold in memory; no context is nearly as long. */
const MOST_ITEMS = 1_000;
const MOST_CHARACTERS = 4_000_000;

/** The items of one Realtime session, in order. */
export class RealtimeConversation {
  private readonly items: StoredItem[] = [];

  constructor(private readonly newId: (prefix: 'item' | 'call') => string) {}

  /**
   * @param after id of the item before it, `root` for the front, nothing for the end
   * @returns the item and the id of the one before it
   * @throws InvalidRequestError when its id is taken or the session is full, NotFoundError when there is no item `after`
   */
  add(item: RealtimeItem, after?: string | null): { item: StoredItem; previousId: string | null } {
    const stored = storedItem(item, this.newId);
    if (this.items.some((one) => one.id === stored.id)) {
      throw new InvalidRequestError(`There is an item \`${stored.id}\` already.`, { param: 'item.id' });
    }
    this.expectRoom(stored);
    const place = this.placeAfter(after);
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

  /** What the model writes goes to the end, and is there from its first word on. */
  begin(item: StoredItem): void {
    this.items.push(item);
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

  /**
   * Takes away what of an answer was not heard. Sessions of text have no sound to count in: only all of it can be.
   * @throws InvalidRequestError for anything but the whole text of an assistant's message, NotFoundError
   */
  truncate(id: string, contentIndex: number, audioEndMs: number): void {
    const item = this.get(id);
    if (item.type !== 'message' || item.role !== 'assistant') {
      throw new InvalidRequestError(`\`${id}\` is no message of the assistant; only those can be truncated.`, {
        param: 'item_id',
      });
    }
    if (!item.content[contentIndex]) {
      throw new InvalidRequestError(`\`${id}\` has no content ${contentIndex}.`, { param: 'content_index' });
    }
    if (audioEndMs !== 0) {
      throw new InvalidRequestError(
        'This session is text, which has no milliseconds: send `audio_end_ms` 0 to take the whole text away.',
        { param: 'audio_end_ms' },
      );
    }
    const content = item.content.map((part, index) => (index === contentIndex ? { ...part, text: '' } : part));
    this.replace({ ...item, content });
  }

  /** What the model is asked; an answer still being written is not part of it. */
  said(): ResponseItem[] {
    return this.items.filter((item) => item.status !== 'in_progress').map(responseItem);
  }

  private expectRoom(item: StoredItem): void {
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
