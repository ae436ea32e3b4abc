import {
  pageQuery,
  type ChatCompletion,
  type ChatCompletionDeleted,
  type CursorPage,
  type StoredChatMessage,
} from '@attune/contracts';
import { CompletionRepository, type Completion } from '@attune/persistence';
import { InvalidRequestError, NotFoundError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import { cursorPage } from '../core/list.js';
import { validate } from '../core/validate.js';
import { storedMessages, storedView } from './stored-answer.js';

const messagesQuery = pageQuery().omit({ before: true });
const MODEL_FILTER = 'model';
const METADATA_FILTER = /^metadata\[(.{1,64})\]$/;

/** A user's own list of completions: those they asked to store. */
@Injectable()
export class StoredCompletionsService {
  constructor(private readonly completions: CompletionRepository) {}

  /** Oldest first unless asked otherwise, as OpenAI has it. `query` may hold `model` and `metadata[key]`. */
  async list(userId: string, query: Record<string, string>): Promise<CursorPage<ChatCompletion>> {
    const { paging, model, metadata } = readFilters(query);
    const page = validate(messagesQuery, { order: 'asc', ...paging });
    const rows = await this.completions.listStored(userId, { ...page, model, metadata });
    const shown = rows.slice(0, page.limit);
    const views = await Promise.all(shown.map((row) => this.view(userId, row)));
    return cursorPage(views, rows.length > page.limit);
  }

  /** @throws NotFoundError */
  async get(userId: string, id: string): Promise<ChatCompletion> {
    return storedView(await this.rows(userId, id));
  }

  /** @throws NotFoundError */
  async update(userId: string, id: string, metadata: Record<string, string>): Promise<ChatCompletion> {
    if (!(await this.completions.setMetadata(userId, id, metadata))) throw notStored(id);
    return this.get(userId, id);
  }

  /** @throws NotFoundError */
  async delete(userId: string, id: string): Promise<ChatCompletionDeleted> {
    if (!(await this.completions.unstore(userId, id))) throw notStored(id);
    return { object: 'chat.completion.deleted', id, deleted: true };
  }

  /** @throws NotFoundError for the completion, InvalidRequestError for a cursor that is no message of it */
  async messages(userId: string, id: string, query: Record<string, string>): Promise<CursorPage<StoredChatMessage>> {
    const { after, limit, order } = validate(messagesQuery, { order: 'asc', ...query });
    const [row] = await this.rows(userId, id);
    const all = order === 'asc' ? storedMessages(row) : storedMessages(row).toReversed();
    const start = after === undefined ? 0 : all.findIndex((message) => message.id === after) + 1;
    if (after !== undefined && start === 0) {
      throw new InvalidRequestError(`\`after\` is \`${after}\`, which is no message of \`${id}\`.`, { param: 'after' });
    }
    return cursorPage(all.slice(start, start + limit), all.length > start + limit);
  }

  private async view(userId: string, row: Completion): Promise<ChatCompletion> {
    return storedView(row.groupId === null ? [row] : await this.rows(userId, row.id));
  }

  private async rows(userId: string, id: string): Promise<Completion[]> {
    const rows = await this.completions.stored(userId, id);
    const done = rows.filter((row) => row.status === 'done');
    if (done.length === 0 || rows[0].status !== 'done') throw notStored(id);
    return done;
  }
}

function readFilters(query: Record<string, string>) {
  const paging: Record<string, string> = {};
  const metadata: Record<string, string> = {};
  let model: string | undefined;
  for (const [name, value] of Object.entries(query)) {
    const key = METADATA_FILTER.exec(name)?.[1];
    if (key !== undefined) metadata[key] = value;
    else if (name === MODEL_FILTER) model = value;
    else paging[name] = value;
  }
  return { paging, model, metadata: Object.keys(metadata).length > 0 ? metadata : undefined };
}

const notStored = (id: string) =>
  new NotFoundError(`You have no stored completion \`${id}\`; only those made with \`store\`: true are kept here.`, {
    param: 'completion_id',
  });
