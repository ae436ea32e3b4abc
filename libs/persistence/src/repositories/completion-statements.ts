/**
 * The two statements of every answer, each for as many answers as come together. Rows travel as one JSON parameter, so
 * that the statements are the same text for any number of them.
 */

/** Columns of a new row, as `json_to_recordset` reads them; the property's name is the column's in camel case. */
const opened = {
  id: 'text',
  conversationId: 'text',
  userId: 'text',
  apiKeyId: 'text',
  instanceId: 'text',
  regenerateOf: 'text',
  source: 'text',
  model: 'text',
  messages: 'jsonb',
  promptTokenIds: 'integer[]',
  sampling: 'jsonb',
  seed: 'bigint',
  promptTokens: 'integer',
  citations: 'jsonb',
  metadata: 'jsonb',
  stored: 'boolean',
  groupId: 'text',
  choiceIndex: 'integer',
} as const;

const closed = {
  status: 'text',
  answer: 'text',
  answerTokenIds: 'integer[]',
  answerLogProbs: 'real[]',
  toolCalls: 'jsonb',
  stopReason: 'text',
  error: 'text',
  weightsDigest: 'text',
  checkpointId: 'text',
  seed: 'bigint',
  promptTokens: 'integer',
  cachedTokens: 'integer',
  completionTokens: 'integer',
  queueMs: 'real',
  prefillMs: 'real',
  ttftMs: 'real',
  totalMs: 'real',
} as const;

const snakes = new Map<string, string>();

/** `createdAt` as the column is called; each name is worked out once. */
function snake(name: string): string {
  const known = snakes.get(name);
  if (known !== undefined) return known;
  const column = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  snakes.set(name, column);
  return column;
}

const names = (columns: object) => Object.keys(columns).map(snake).join(', ');
const typed = (columns: object, more: object = {}) =>
  Object.entries({ ...columns, ...more })
    .map(([name, type]) => `${snake(name)} ${type}`)
    .join(', ');

/**
 * Makes the conversations that are new and opens the completions whose conversation is their user's own. Gives the ids
 * of those that were opened.
 */
export const openStatement = `
  with given as (select * from json_to_recordset($1) as given(${typed(opened, { title: 'text' })})),
  made as (
    insert into conversation (id, user_id, title)
    select distinct on (conversation_id) conversation_id, user_id, title from given
    on conflict (id) do nothing
    returning id, user_id)
  insert into completion (${names(opened)})
  select ${names(opened)} from given
  where exists (select from made where made.id = given.conversation_id and made.user_id = given.user_id)
     or exists (
       select from conversation c
       where c.id = given.conversation_id and c.user_id = given.user_id and c.deleted_at is null)
  returning id`;

/**
 * Writes outcomes of completions that are open (or were taken for lost) and moves their conversations to the front.
 * Gives every id with whether there is such a row.
 */
export const closeStatement = `
  with given as (select * from json_to_recordset($1) as given(${typed(closed, { id: 'text', citations: 'jsonb' })})),
  closed as (
    update completion c set
      ${Object.keys(closed)
        .filter((name) => name !== 'seed')
        .map((name) => `${snake(name)} = given.${snake(name)}`)
        .join(', ')},
      seed = coalesce(given.seed, c.seed), citations = coalesce(given.citations, c.citations),
      closed_at = clock_timestamp()
    from given where c.id = given.id and c.status in ('open', 'lost')
    returning c.conversation_id),
  fronted as (
    update conversation set updated_at = clock_timestamp()
    where id in (select conversation_id from closed))
  select given.id, exists (select from completion c where c.id = given.id) as known from given`;

/** A row's columns as JSON, numbers it cannot spell as PostgreSQL reads them. */
export const asRecord = (row: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [snake(name), withInfinity(value)]));

function withInfinity(value: unknown): unknown {
  // By `includes`, which reads numbers as they lie in memory: answers have hundreds.
  if (!Array.isArray(value) || !UNSPEAKABLE.some((one) => value.includes(one))) return value;
  return value.map((one: unknown) => (typeof one === 'number' && !Number.isFinite(one) ? String(one) : one));
}

/** Numbers that JSON has no words for. */
const UNSPEAKABLE = [Infinity, -Infinity, NaN];
