import type { CursorPage, ListItemsQuery, ResponseItem } from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';

/**
 * A page of items that are all at hand, oldest first.
 * @throws InvalidRequestError when there is no item `after` or `before`
 */
export function pageOfItems(items: readonly ResponseItem[], query: ListItemsQuery): CursorPage<ResponseItem> {
  const ordered = query.order === 'asc' ? [...items] : items.toReversed();
  const from = query.after === undefined ? 0 : placeOf(ordered, query.after, 'after') + 1;
  const to = query.before === undefined ? ordered.length : placeOf(ordered, query.before, 'before');
  return cursorPage(ordered.slice(from, to).slice(0, query.limit + 1), query.limit);
}

/** A page out of one item more than was asked for, which only tells whether there is a next page. */
export function cursorPage<T extends { id: string }>(rows: T[], limit: number): CursorPage<T> {
  const data = rows.slice(0, limit);
  const ends = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
  return { object: 'list', data, ...ends, has_more: rows.length > limit };
}

function placeOf(items: readonly ResponseItem[], id: string, param: string): number {
  const place = items.findIndex((item) => item.id === id);
  if (place >= 0) return place;
  throw new InvalidRequestError(`There is no item \`${id}\` to page from.`, { param });
}
