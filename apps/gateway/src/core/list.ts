import type { CursorPage, ListBody } from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';

export function list<T>(data: T[], hasMore = false): ListBody<T> {
  return { object: 'list', data, has_more: hasMore };
}

/** A page out of one entry more than was asked for, which only tells whether there is a next page. */
export function page<T>(rows: T[], limit: number): ListBody<T> {
  return list(rows.slice(0, limit), rows.length > limit);
}

/** A page as OpenAI's clients turn it: by the ids of its ends. */
export function cursorPage<T extends { id: string }>(data: T[], hasMore: boolean): CursorPage<T> {
  return { object: 'list', data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: hasMore };
}

/**
 * A whole number of the query string.
 * @throws InvalidRequestError when it is none or out of bounds
 */
export function queryNumber(
  name: string,
  text: string | undefined,
  bounds: { default: number; min: number; max: number },
) {
  if (text === undefined || text === '') return bounds.default;
  const value = Number(text);
  if (Number.isInteger(value) && value >= bounds.min && value <= bounds.max) return value;
  throw new InvalidRequestError(
    `\`${name}\` is \`${text}\`; it must be a whole number from ${bounds.min} to ${bounds.max}.`,
    { param: name },
  );
}
