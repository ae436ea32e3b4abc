import type { BatchError, BatchLine, BatchOutputLine, BatchStatus } from '@attune/contracts';
import { BatchRepository, FileRepository, isDatabaseAway, type Batch } from '@attune/persistence';
import { createId, messageOf, type Clock, type Logger } from '@attune/platform';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { OwnApi } from '../auth/own-api.js';
import { BackgroundWork, keepClaim, severalAtOnce, untilNoneIsLeft } from '../core/background-work.js';
import { CLOCK, LOGGER } from '../core/tokens.js';
import { readBatchLines } from './batch-lines.js';

/** Few, so that people who wait go first. */
const AT_ONCE = 4;
const LOOK_MS = 5_000;
/** Also how soon a cancelled batch stops. */
const RENEW_MS = 2_000;
/** The window a batch has. */
export const WINDOW_MS = 24 * 3_600_000;

/** Works batches off, line by line; one that a killed gateway left is gone on with by the next. */
@Injectable()
export class BatchRunner implements OnApplicationBootstrap {
  private readonly running: BackgroundWork;

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly batches: BatchRepository,
    private readonly files: FileRepository,
    private readonly api: OwnApi,
  ) {
    const work = untilNoneIsLeft<Batch>({
      claim: () => this.batches.claim(),
      work: (batch, stopping) => this.runOne(batch, stopping),
      release: (batch) => this.batches.release(batch.id),
    });
    this.running = new BackgroundWork({ name: 'batches', everyMs: LOOK_MS, logger, work });
  }

  onApplicationBootstrap(): void {
    this.running.start();
  }

  // Before connections are closed: lines under way are requests like others.
  beforeApplicationShutdown(): Promise<void> {
    return this.running.stop();
  }

  wake(): void {
    this.running.wake();
  }

  private async runOne(batch: Batch, stopping: AbortSignal): Promise<void> {
    const lines = await this.linesOf(batch);
    if (!lines) return;
    if (batch.status === 'validating') await this.batches.move(batch.id, 'in_progress', { total: lines.length });
    const end = await this.answer(batch, lines, stopping);
    if (end === 'stopped') return;
    await this.writeFiles(batch, lines, end);
    this.logger.info({ batch: batch.id, lines: lines.length }, `batch ${end}`);
  }

  private async linesOf(batch: Batch): Promise<BatchLine[] | null> {
    const read = await this.files.read(batch.inputFileId, batch.userId).then(
      (content) => readBatchLines(content.toString('utf8'), batch.endpoint),
      (error: unknown) => {
        if (isDatabaseAway(error)) throw error;
        return { ok: false as const, errors: [gone(error)] };
      },
    );
    if (read.ok) return read.lines;
    await this.batches.move(batch.id, 'failed', { errors: read.errors });
    return null;
  }

  /** Answers the lines that have no answer yet, a few at a time. */
  private async answer(
    batch: Batch,
    lines: BatchLine[],
    stopping: AbortSignal,
  ): Promise<'completed' | 'cancelled' | 'expired' | 'stopped'> {
    const done = await this.batches.doneLines(batch.id);
    const waiting = lines.map((line, index) => ({ line, index })).filter(({ index }) => !done.has(index));
    let status = batch.status;
    const claim = keepClaim(async () => void (status = await this.batches.renew(batch.id)), RENEW_MS);
    const cancelled = () => status === 'cancelling';
    const late = () => this.clock.now().getTime() > batch.createdAt.getTime() + WINDOW_MS;
    let given = 0;
    const total = waiting.length;
    const goOn = () => !stopping.aborted && !cancelled() && !late();
    const work = async ({ line, index }: { line: BatchLine; index: number }) => {
      if (await this.answerLine(batch, line, index, stopping)) given += 1;
    };
    try {
      await claim.first;
      await severalAtOnce(waiting, AT_ONCE, goOn, work);
    } finally {
      claim.end();
    }
    if (given === total) return cancelled() ? 'cancelled' : 'completed';
    if (stopping.aborted) return 'stopped';
    return late() ? 'expired' : 'cancelled';
  }

  /** @returns whether the line has its answer now; one that is stopped midway is answered by whoever goes on */
  private async answerLine(batch: Batch, line: BatchLine, index: number, stopping: AbortSignal): Promise<boolean> {
    const id = createId('batch_req');
    const { custom_id } = line;
    const whose = { userId: batch.userId, keyId: batch.apiKeyId };
    const answer = await this.api.postPatiently(whose, batch.endpoint, line.body, stopping).catch(asFailure);
    if (answer === null) return false;
    if ('failure' in answer) {
      const error = { code: 'internal_error', message: answer.failure };
      await this.batches.addResult(batch.id, index, false, { id, custom_id, response: null, error });
      return true;
    }
    const response = { status_code: answer.status, request_id: answer.requestId, body: answer.body };
    const succeeded = answer.status >= 200 && answer.status < 300;
    await this.batches.addResult(batch.id, index, succeeded, { id, custom_id, response, error: null });
    return true;
  }

  private async writeFiles(batch: Batch, lines: BatchLine[], end: BatchStatus): Promise<void> {
    await this.batches.move(batch.id, end === 'cancelled' ? 'cancelling' : 'finalizing');
    if (end === 'expired') await this.noteExpired(batch, lines);
    const outputFileId = await this.writeFile(batch, 'output', await this.batches.results(batch.id, true));
    const errorFileId = await this.writeFile(batch, 'error', await this.batches.results(batch.id, false));
    await this.batches.finish(batch.id, end, { outputFileId, errorFileId });
  }

  private async noteExpired(batch: Batch, lines: BatchLine[]): Promise<void> {
    const done = await this.batches.doneLines(batch.id);
    const error = { code: 'batch_expired', message: 'The batch ended before this request was worked on.' };
    for (const [index, { custom_id }] of lines.entries()) {
      if (done.has(index)) continue;
      const output = { id: createId('batch_req'), custom_id, response: null, error };
      await this.batches.addResult(batch.id, index, false, output);
    }
  }

  private async writeFile(batch: Batch, kind: string, rows: BatchOutputLine[]): Promise<string | null> {
    if (rows.length === 0) return null;
    const content = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const file = await this.files.add({
      userId: batch.userId,
      filename: `${batch.id}_${kind}.jsonl`,
      purpose: 'batch_output',
      content,
      lifetimeSeconds: batch.outputLifetimeSeconds ?? undefined,
    });
    return file.id;
  }
}

const asFailure = (error: unknown) => ({ failure: messageOf(error) });

const gone = (error: unknown): BatchError => ({
  code: 'invalid_file',
  message: `The input file cannot be read: ${messageOf(error)}`,
  param: 'input_file_id',
  line: null,
});
