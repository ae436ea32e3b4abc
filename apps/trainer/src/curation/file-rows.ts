import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { TuningJobConfig } from '@attune/contracts';
import type { FileRepository } from '@attune/persistence';
import { deriveSeed, InvalidRequestError, messageOf } from '@attune/platform';
import type { DataExample } from '../datasets/example.js';
import { mixTasks } from '../datasets/mixture.js';
import { withRationale } from '../datasets/rationale.js';
import { readDataset } from '../datasets/read-dataset.js';
import { toRows } from '../datasets/to-rows.js';
import type { Journal } from '../jobs/journal.js';
import type { SuppliedRow } from './curated-row.js';

type DataFile = TuningJobConfig['data']['files'][number];

/** Where a job's files are read from. */
export interface FileSource {
  /** @throws InvalidRequestError or NotFoundError when there is no such file */
  read(file: DataFile): Promise<{ name: string; content: Uint8Array }>;
}

/** Files below a folder of ours, and those people have uploaded to /v1/files. */
export class StoredFiles implements FileSource {
  constructor(
    private readonly folder: string,
    private readonly uploads: Pick<FileRepository, 'get' | 'read'>,
  ) {}

  async read({ path: name, file_id: id, user_id: userId }: DataFile): Promise<{ name: string; content: Uint8Array }> {
    if (name !== undefined) return { name, content: await this.readLocal(name) };
    if (id === undefined || userId === undefined)
      throw new InvalidRequestError('A file of a job needs a `path`, or a `file_id` with the `user_id` of its owner');
    const { filename } = await this.uploads.get(id, userId);
    return { name: filename, content: await this.uploads.read(id, userId) };
  }

  private async readLocal(name: string): Promise<Uint8Array> {
    const file = path.resolve(this.folder, name);
    if (!file.startsWith(path.resolve(this.folder) + path.sep))
      throw new InvalidRequestError(`\`${name}\` lies outside ${this.folder}; put training files in there`);
    return readFile(file).catch((cause: unknown) => {
      throw new InvalidRequestError(`\`${name}\` cannot be read from ${this.folder}: ${messageOf(cause)}`, { cause });
    });
  }
}

/** The rows of a job's files: read, mixed by task, with or without their reasoning. */
export async function rowsOfFiles(
  source: FileSource,
  { data, seed }: Pick<TuningJobConfig, 'data' | 'seed'>,
  journal: Pick<Journal, 'info'>,
): Promise<SuppliedRow[]> {
  const found: { example: DataExample; name: string; side: SuppliedRow['side']; index: number }[] = [];
  for (const file of data.files) {
    const { name, content } = await source.read(file);
    const { examples, formats } = readDataset(content, name);
    journal.info(`${name}: ${examples.length} examples (${Object.keys(formats).join(', ')})`, { formats });
    const side = file.split === 'auto' ? undefined : file.split;
    examples.forEach((example, index) => found.push({ example, name, side, index }));
  }
  const { cap_per_task: capPerTask, temperature, max_rows: maxRows } = data.mixture;
  const rules = { capPerTask, temperature, maxRows, seed: deriveSeed(seed, 'mixture') };
  const mixed = mixTasks(found, ({ example, name }) => example.task ?? name, rules);
  if (mixed.length < found.length) journal.info(`The mixture takes ${mixed.length} of ${found.length} examples`);
  return mixed.flatMap(({ example, name, side, index }) =>
    toRows(withRationale(example, data.rationale), { origin: 'file', name }, index).map((row) => ({
      ...row,
      ...(side ? { side } : {}),
    })),
  );
}
