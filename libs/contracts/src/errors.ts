/** The error body of every HTTP endpoint, as OpenAI's clients expect it. */
export interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
}
/** Lists are `{object: 'list', data, has_more}`. */
export interface ListBody<T> {
  object: 'list';
  data: T[];
  has_more: boolean;
}
