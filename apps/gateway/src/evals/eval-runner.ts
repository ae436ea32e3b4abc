import type { EvalGradeResult, EvalSample, Grader } from '@attune/contracts';
import { grade } from '@attune/graders';
import { EvalRepository, isDatabaseAway, type ClaimedRun, type NewOutputItem } from '@attune/persistence';
import { InvalidRequestError, messageOf, NotFoundError, type Logger } from '@attune/platform';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Patience, Whose } from '../auth/own-api.js';
import { BackgroundWork, severalAtOnce } from '../core/background-work.js';
import { untilNoneIsLeft, type HeldClaim } from '../core/queue-work.js';
import { LOGGER } from '../core/tokens.js';
import { ServedModel } from '../inference/served-model.js';
import { waitingRows, type EvalRow } from './eval-row.js';
import { EvalRows } from './eval-rows.js';
import { EMPTY_SAMPLE, EvalSampler } from './eval-sampler.js';

/** Few, so that people who wait go first. */
const AT_ONCE = 4;

/** Works runs off, row by row; one that a killed gateway left is gone on with by the next. */
@Injectable()
export class EvalRunner implements OnApplicationBootstrap {
  private readonly running: BackgroundWork;
  /** Of the run that is worked on, or was last. */
  private held?: HeldClaim;

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly evals: EvalRepository,
    private readonly rows: EvalRows,
    private readonly sampler: EvalSampler,
    private readonly model: ServedModel,
  ) {
    const work = untilNoneIsLeft<ClaimedRun>({
      name: 'an eval run',
      logger,
      claims: evals.queue,
      claim: () => evals.claim(),
      work: (job, held, stopping) => this.runOrRefuse(job, held, stopping),
      giveUp: (job, reason) => this.fail(job, `The run could not be worked on: ${reason}`),
    });
    this.running = new BackgroundWork({ name: 'eval runs', logger, work });
  }

  onApplicationBootstrap(): void {
    this.running.start();
  }

  // Before connections are closed: rows under way are requests like others.
  beforeApplicationShutdown(): Promise<void> {
    return this.running.stop();
  }

  wake(): void {
    this.running.wake();
  }

  /** Somebody has ended a run: it may be the one that is worked on. */
  lookAtClaim(): void {
    // What it throws is tried again soon.
    this.held?.look().catch(() => undefined);
  }

  private async runOrRefuse(job: ClaimedRun, held: HeldClaim, stopping: AbortSignal): Promise<void> {
    this.held = held;
    try {
      await this.runOne(job, held, stopping);
    } catch (error) {
      // What is wrong with the run stays wrong; everything else is tried again.
      if (!(error instanceof InvalidRequestError || error instanceof NotFoundError)) throw error;
      await this.fail(job, error.message);
    }
  }

  private async runOne(job: ClaimedRun, held: HeldClaim, stopping: AbortSignal): Promise<void> {
    const { run, claim } = job;
    const rows = await this.rows.read(job);
    const done = await this.evals.doneItems(run.id);
    const waiting = waitingRows(rows, done);
    await this.evals.setTotal(claim, done.length + waiting.length);
    // A row may wait long for room and take long to answer; it hears meanwhile that the run has ended, as by a cancel.
    const patience = { stopping, unwanted: held.over };
    const goOn = () => !stopping.aborted && !held.over.aborted;
    await severalAtOnce(waiting, AT_ONCE, goOn, async ({ row, ordinal }) => {
      const item = await this.gradedRow(job, row, patience);
      // Stopped midway: whoever goes on with the run asks again.
      if (item && !(await this.evals.addItem(claim, { ordinal, ...item }))) held.lost();
    });
    if (goOn()) await this.evals.end(claim, 'completed');
  }

  private async fail({ run, claim }: ClaimedRun, message: string): Promise<void> {
    await this.evals.end(claim, 'failed', { code: 'run_failed', message });
    this.logger.warn({ run: run.id }, `eval run failed: ${message}`);
  }

  /** @returns null when it is stopped midway */
  private async gradedRow(
    { run, of }: ClaimedRun,
    row: EvalRow,
    patience: Patience,
  ): Promise<Omit<NewOutputItem, 'ordinal'> | null> {
    const whose = { userId: of.userId, keyId: run.apiKeyId };
    const sample = await this.sampler.sample(whose, run.dataSource, run.model, row, patience).catch(failedSample);
    if (sample === null) return null;
    const grading = sample.error ? [] : this.gradeAll(whose, of.testingCriteria, row, sample, patience);
    const graded = await Promise.resolve(grading).catch(failedSample);
    if (!Array.isArray(graded) && (patience.stopping.aborted || patience.unwanted?.aborted)) return null;
    const broken = Array.isArray(graded) ? sample : { ...sample, error: graded.error };
    const results = Array.isArray(graded) ? graded : [];
    const status = broken.error ? 'error' : results.every(({ passed }) => passed) ? 'pass' : 'fail';
    return { item: row.item, results, sample: broken, status };
  }

  private async gradeAll(
    whose: Whose,
    graders: Grader[],
    { item, sample: given }: EvalRow,
    sample: EvalSample,
    patience: Patience,
  ): Promise<EvalGradeResult[]> {
    const context = { item, sample: { ...given, output_text: sample.output[0]?.content ?? '' } };
    const results: EvalGradeResult[] = [];
    for (const grader of graders) {
      const found = await grade(grader, context, (request) =>
        this.sampler.judge(whose, { ...request, model: request.model || this.model.id }, patience),
      );
      results.push({ type: grader.type, ...found });
    }
    return results;
  }
}

function failedSample(error: unknown): EvalSample {
  if (isDatabaseAway(error)) throw error;
  return { ...EMPTY_SAMPLE, error: { code: 'sampling_failed', message: messageOf(error) } };
}
