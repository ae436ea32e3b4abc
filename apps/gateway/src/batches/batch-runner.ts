import type { BatchError, BatchLine } from '@attune/contracts';
import {
  BatchRepository,
  FileRepository,
  isDatabaseAway,
  type Batch,
  type BatchEnd,
  type BatchResult,
  type Claim,
  type ClaimedBatch,
} from '@attune/persistence';
import { createId, messageOf, NotFoundError, type Clock, type Logger } from '@attune/platform';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { OwnApi } from '../auth/own-api.js';
import { BackgroundWork, severalAtOnce } from '../core/background-work.js';
import { untilNoneIsLeft, type HeldClaim } from '../core/queue-work.js';
import { CLOCK, LOGGER } from '../core/tokens.js';
import { BatchWindow } from './batch-window.js';
import { readBatchLines, type ReadLines } from './batch-lines.js';

/** Few, so that people who wait go first. */
const AT_ONCE = 4;

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
    const work = untilNoneIsLeft<ClaimedBatch>({
      name: 'a batch',
      logger,
      claims: batches.queue,
      claim: () => batches.claim(),
      work: (job, held, stopping) => this.runOne(job, held, stopping),
      giveUp: (job, reason) => this.giveUp(job, reason),
    });
    this.running = new BackgroundWork({ name: 'batches', logger, work });
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

  private async runOne({ batch, claim }: ClaimedBatch, held: HeldClaim, stopping: AbortSignal): Promise<void> {
    const read = await this.linesOf(batch);
    if (!read.ok) return this.finish(batch, claim, { status: 'failed', errors: read.errors });
    const { lines } = read;
    if (batch.status === 'validating') await this.batches.move(claim, 'in_progress', lines.length);
    const status = await this.answer({ batch, claim }, lines, held, stopping);
    if (status === 'stopped') return;
    await this.batches.move(claim, 'finalizing', lines.length);
    await this.finish(batch, claim, { status }, status === 'expired' ? await this.unanswered(batch, lines) : []);
  }

  private linesOf(batch: Batch): Promise<ReadLines> {
    return this.files.read(batch.inputFileId, batch.userId).then(
      (content) => readBatchLines(content.toString('utf8'), batch.endpoint),
      (error: unknown) => {
        if (!(error instanceof NotFoundError)) throw error;
        return { ok: false as const, errors: [gone(error)] };
      },
    );
  }

  /** Answers the lines that have no answer yet, a few at a time. */
  private async answer(
    { batch, claim }: ClaimedBatch,
    lines: BatchLine[],
    held: HeldClaim,
    stopping: AbortSignal,
  ): Promise<'completed' | 'cancelled' | 'expired' | 'stopped'> {
    await held.look();
    const done = await this.batches.doneLines(batch.id);
    const waiting = lines.map((line, index) => ({ line, index })).filter(({ index }) => !done.has(index));
    const window = new BatchWindow(batch.createdAt, this.clock);
    // A line may wait long for room; it hears of each of these meanwhile.
    const enough = AbortSignal.any([stopping, held.over, window.over]);
    let left = waiting.length;
    const answers = severalAtOnce(
      waiting,
      AT_ONCE,
      () => !enough.aborted,
      async ({ line, index }) => {
        const answer = await this.answerLine(batch, line, enough);
        if (answer === null) return;
        if (await this.batches.addResult(claim, { line: index, ...answer })) left -= 1;
        else held.lost();
      },
    );
    await answers.finally(() => window.close());
    if (!held.ours) return 'stopped';
    if (left === 0) return 'completed';
    if (stopping.aborted) return 'stopped';
    return held.cancelled ? 'cancelled' : 'expired';
  }

  /** @returns null when it is stopped midway: the line is answered by whoever goes on, if anybody does */
  private async answerLine(batch: Batch, line: BatchLine, stopping: AbortSignal): Promise<LineAnswer | null> {
    const id = createId('batch_req');
    const { custom_id } = line;
    const whose = { userId: batch.userId, keyId: batch.apiKeyId };
    const answer = await this.api.postPatiently(whose, batch.endpoint, line.body, { stopping }).catch(asFailure);
    if (answer === null) return null;
    if ('failure' in answer) {
      const error = { code: 'internal_error', message: answer.failure };
      return { succeeded: false, output: { id, custom_id, response: null, error } };
    }
    const response = { status_code: answer.status, request_id: answer.requestId, body: answer.body };
    const succeeded = answer.status >= 200 && answer.status < 300;
    return { succeeded, output: { id, custom_id, response, error: null } };
  }

  private async unanswered(batch: Batch, lines: BatchLine[]): Promise<BatchResult[]> {
    const done = await this.batches.doneLines(batch.id);
    const error = { code: 'batch_expired', message: 'The batch ended before this request was worked on.' };
    return lines.flatMap(({ custom_id }, line) =>
      done.has(line)
        ? []
        : [{ line, succeeded: false, output: { id: createId('batch_req'), custom_id, response: null, error } }],
    );
  }

  /** What was answered until now is kept, unless that is what fails. */
  private async giveUp({ batch, claim }: ClaimedBatch, reason: string): Promise<void> {
    const message = `The batch could not be worked on: ${reason}. Create it again, or ask the operator what the log says.`;
    const end = { status: 'failed' as const, errors: [{ code: 'server_error', message, param: null, line: null }] };
    await this.finish(batch, claim, end).catch(async (error: unknown) => {
      if (isDatabaseAway(error)) throw error;
      this.logger.error({ err: error, batch: batch.id }, 'a failed batch has no files: they cannot be written');
      await this.batches.fail(claim, end.errors);
    });
  }

  private async finish(batch: Batch, claim: Claim, end: BatchEnd, missing?: BatchResult[]): Promise<void> {
    const status = await this.batches.finish(batch, claim, end, missing);
    this.logger.info({ batch: batch.id }, status ? `batch ${status}` : 'the batch went to another gateway');
  }
}

type LineAnswer = Omit<BatchResult, 'line'>;

function asFailure(error: unknown): { failure: string } {
  if (isDatabaseAway(error)) throw error;
  return { failure: messageOf(error) };
}

const gone = (error: unknown): BatchError => ({
  code: 'invalid_file',
  message: `The input file cannot be read: ${messageOf(error)}`,
  param: 'input_file_id',
  line: null,
});
