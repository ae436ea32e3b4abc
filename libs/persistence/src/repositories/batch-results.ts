import type { BatchOutputLine } from '@attune/contracts';
import type { EntityManager } from 'typeorm';
import { storableJsonText } from '../entities/columns.js';
import type { Batch } from '../entities/index.js';
import { insertWritten } from './file.repository.js';

/** Read at once when files are written. */
const RESULTS_AT_ONCE = 200;

export interface BatchResult {
  /** Of the requests in the input file, from 0. */
  line: number;
  succeeded: boolean;
  output: BatchOutputLine;
}

/** A line that was answered before keeps its answer. */
export async function insertResult(tx: EntityManager, batchId: string, { line, succeeded, output }: BatchResult) {
  await tx.query(
    `insert into batch_result (batch_id, line, succeeded, output) values ($1, $2, $3, $4) on conflict do nothing`,
    [batchId, line, succeeded, storableJsonText(output)],
  );
}

/** The results as JSON lines, in the order of the input file. @returns the file's id; null where there are none */
export function writeResults(
  tx: EntityManager,
  batch: Batch,
  kind: 'output' | 'error',
  succeeded: boolean,
): Promise<string | null> {
  const row = {
    userId: batch.userId,
    filename: `${batch.id}_${kind}.jsonl`,
    purpose: 'batch_output',
    lifetimeSeconds: batch.outputLifetimeSeconds ?? undefined,
  } as const;
  return insertWritten(tx, row, resultLines(tx, batch.id, succeeded));
}

async function* resultLines(tx: EntityManager, batchId: string, succeeded: boolean): AsyncGenerator<Buffer> {
  for (let after = -1; ;) {
    const rows: { line: number; output: BatchOutputLine }[] = await tx.query(
      `select line, output from batch_result where batch_id = $1 and succeeded = $2 and line > $3
       order by line limit ${RESULTS_AT_ONCE}`,
      [batchId, succeeded, after],
    );
    for (const { output } of rows) yield Buffer.from(`${JSON.stringify(output)}\n`);
    if (rows.length < RESULTS_AT_ONCE) return;
    after = rows.at(-1)!.line;
  }
}
