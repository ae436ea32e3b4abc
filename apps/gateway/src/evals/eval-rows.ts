import type { EvalDataSourceConfig, EvalRunDataSource } from '@attune/contracts';
import { FileRepository } from '@attune/persistence';
import { InvalidRequestError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import { Ajv } from 'ajv';
import { OwnApi, type Whose } from '../auth/own-api.js';

export interface EvalRow {
  item: Record<string, unknown>;
  /** An answer the data brings along. */
  sample?: Record<string, unknown>;
}

/** Most stored completions a run reads. */
const MOST_STORED = 1_000;
const PAGE = 100;

/** The rows of a run, wherever they lie. */
@Injectable()
export class EvalRows {
  constructor(
    private readonly files: FileRepository,
    private readonly api: OwnApi,
  ) {}

  /** @throws InvalidRequestError for a file that is not there or no rows, or a row that does not fit the schema */
  async read(whose: Whose, { source }: EvalRunDataSource, config: EvalDataSourceConfig): Promise<EvalRow[]> {
    const rows = await this.rowsOf(whose, source, config);
    if (rows.length === 0) throw new InvalidRequestError('The data source holds no rows.', { param: 'data_source' });
    if (config.type === 'custom') expectSchema(rows, config.item_schema);
    return rows;
  }

  private async rowsOf(
    whose: Whose,
    source: EvalRunDataSource['source'],
    config: EvalDataSourceConfig,
  ): Promise<EvalRow[]> {
    switch (source.type) {
      case 'file_content':
        return source.content;
      case 'file_id':
        return rowsOfFile((await this.files.read(source.id, whose.userId)).toString('utf8'));
      case 'stored_completions': {
        const labels = source.metadata ?? ('metadata' in config ? config.metadata : null) ?? {};
        const stored = await this.stored(whose, { ...source, metadata: labels });
        return stored.filter(withinTime(source)).map(rowOfStored);
      }
    }
  }

  private async stored(
    whose: Whose,
    { metadata, model, limit }: { metadata: Record<string, string>; model?: string | null; limit?: number | null },
  ): Promise<StoredCompletion[]> {
    const found: StoredCompletion[] = [];
    const most = Math.min(limit ?? MOST_STORED, MOST_STORED);
    const query = new URLSearchParams({ limit: String(Math.min(PAGE, most)), order: 'asc' });
    for (const [name, value] of Object.entries(metadata)) query.set(`metadata[${name}]`, value);
    if (model) query.set('model', model);
    for (let more = true; more && found.length < most;) {
      const { body } = await this.api.get(whose, `/v1/chat/completions?${query.toString()}`);
      const page = body as { data: StoredCompletion[]; has_more: boolean };
      for (const completion of page.data) {
        const messages = await this.api.get(whose, `/v1/chat/completions/${completion.id}/messages?limit=100`);
        found.push({ ...completion, input: (messages.body as { data: StoredMessage[] }).data });
      }
      more = page.has_more;
      query.set('after', page.data.at(-1)?.id ?? '');
    }
    return found.slice(0, most);
  }
}

interface StoredMessage {
  role: string;
  content: unknown;
}
interface StoredCompletion {
  id: string;
  created: number;
  model: string;
  metadata: Record<string, string> | null;
  input?: StoredMessage[];
  choices: { message: { content: string | null } }[];
}

const withinTime =
  ({
    created_after: after,
    created_before: before,
  }: {
    created_after?: number | null;
    created_before?: number | null;
  }) =>
  ({ created }: StoredCompletion) =>
    (after == null || created > after) && (before == null || created < before);

const rowOfStored = (completion: StoredCompletion): EvalRow => ({
  item: {
    id: completion.id,
    model: completion.model,
    metadata: completion.metadata ?? {},
    input: (completion.input ?? []).map(({ role, content }) => ({ role, content })),
  },
  sample: { output_text: completion.choices[0]?.message.content ?? '' },
});

function rowsOfFile(text: string): EvalRow[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const row = JSON.parse(line) as Partial<EvalRow>;
    if (typeof row.item !== 'object' || row.item === null) {
      throw new InvalidRequestError(`Line ${index + 1} has no object \`item\`; write {"item": {…}} on each line.`, {
        param: 'data_source',
      });
    }
    return [{ item: row.item, ...(row.sample && { sample: row.sample }) }];
  });
}

/** A schema that can be used, as a function. @throws InvalidRequestError for one that is none */
export function compileItemSchema(schema: Record<string, unknown>) {
  expectNoPatterns(schema);
  try {
    return new Ajv({ strict: false, allErrors: false, logger: false }).compile(schema);
  } catch (error) {
    throw new InvalidRequestError(`\`item_schema\` is no JSON schema: ${(error as Error).message}.`, {
      param: 'data_source_config.item_schema',
      cause: error,
    });
  }
}

/** A pattern can run for ever on a row that somebody chose for it, and with it everything else in this process. */
function expectNoPatterns(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    const isKeyword = (key === 'pattern' && typeof value === 'string') || key === 'patternProperties';
    if (isKeyword || (key === 'format' && typeof value === 'string')) {
      throw new InvalidRequestError(`\`item_schema\` uses \`${key}\`, which is not supported here; leave it out.`, {
        param: 'data_source_config.item_schema',
      });
    }
    expectNoPatterns(value);
  }
}

function expectSchema(rows: readonly EvalRow[], schema: Record<string, unknown>): void {
  const fits = compileItemSchema(schema);
  for (const [index, { item }] of rows.entries()) {
    if (fits(item)) continue;
    const [error] = fits.errors ?? [];
    throw new InvalidRequestError(
      `Row ${index + 1} does not fit item_schema: ${error?.instancePath} ${error?.message}.`,
      {
        param: 'data_source',
      },
    );
  }
}
