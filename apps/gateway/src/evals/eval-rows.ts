import type { EvalRunDataSource } from '@attune/contracts';
import { FileRepository, type ClaimedRun } from '@attune/persistence';
import { InvalidRequestError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import { Ajv } from 'ajv';
import type { EvalRow } from './eval-row.js';
import { StoredRows } from './stored-rows.js';

/** The rows of a run, wherever they lie. */
@Injectable()
export class EvalRows {
  constructor(
    private readonly files: FileRepository,
    private readonly stored: StoredRows,
  ) {}

  /** @throws InvalidRequestError for a file that is not there or no rows, or a row that does not fit the schema */
  async read(job: ClaimedRun): Promise<EvalRow[]> {
    const { dataSourceConfig: config } = job.of;
    const rows = await this.rowsOf(job, job.run.dataSource.source);
    if (rows.length === 0) throw new InvalidRequestError('The data source holds no rows.', { param: 'data_source' });
    if (config.type === 'custom') expectSchema(rows, config.item_schema);
    return rows;
  }

  private async rowsOf({ run, of }: ClaimedRun, source: EvalRunDataSource['source']): Promise<EvalRow[]> {
    switch (source.type) {
      case 'file_content':
        return source.content;
      case 'file_id':
        return rowsOfFile((await this.files.read(source.id, of.userId)).toString('utf8'));
      case 'stored_completions':
      case 'responses': {
        const config = of.dataSourceConfig;
        const labels = ('metadata' in config ? config.metadata : null) ?? {};
        return this.stored.read(of.userId, source, labels, Math.floor(run.createdAt.getTime() / 1000));
      }
    }
  }
}

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
