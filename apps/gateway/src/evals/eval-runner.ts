import type { EvalGradeResult, EvalSample, Grader } from '@attune/contracts';
import { EvalRepository, isDatabaseAway, type Eval, type EvalRun } from '@attune/persistence';
import { grade } from '@attune/graders';
import { messageOf, type Logger } from '@attune/platform';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Whose } from '../auth/own-api.js';
import { BackgroundWork, keepClaim, severalAtOnce, untilNoneIsLeft } from '../core/background-work.js';
import { LOGGER } from '../core/tokens.js';
import { ServedModel } from '../inference/served-model.js';
import { EvalRows, type EvalRow } from './eval-rows.js';
import { EvalSampler } from './eval-sampler.js';

/** Few, so that people who wait go first. */
const AT_ONCE = 4;
const LOOK_MS = 5_000;
/** Also how soon a cancelled run stops. */
const RENEW_MS = 2_000;

interface ClaimedRun {
  run: EvalRun;
  of: Eval;
}

/** Works runs off, row by row; one that a killed gateway left is gone on with by the next. */
@Injectable()
export class EvalRunner implements OnApplicationBootstrap {
  private readonly running: BackgroundWork;

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly evals: EvalRepository,
    private readonly rows: EvalRows,
    private readonly sampler: EvalSampler,
    private readonly model: ServedModel,
  ) {
    const work = untilNoneIsLeft<ClaimedRun>({
      claim: () => this.evals.claim(),
      work: (claimed, stopping) => this.runOrFail(claimed, stopping),
      release: ({ run }) => this.evals.release(run.id),
    });
    this.running = new BackgroundWork({ name: 'eval runs', everyMs: LOOK_MS, logger, work });
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

  private async runOrFail({ run, of }: ClaimedRun, stopping: AbortSignal): Promise<void> {
    try {
      await this.runOne(run, of, stopping);
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      const failure = { code: 'run_failed', message: messageOf(error) };
      await this.evals.move(run.id, 'failed', failure);
      this.logger.warn({ run: run.id, err: error }, `eval run failed: ${failure.message}`);
    }
  }

  private async runOne(run: EvalRun, of: Eval, stopping: AbortSignal): Promise<void> {
    const whose = { userId: of.userId, keyId: run.apiKeyId };
    const rows = await this.rows.read(whose, run.dataSource, of.dataSourceConfig);
    await this.evals.setTotal(run.id, rows.length);
    const done = await this.evals.doneItems(run.id);
    const waiting = rows.map((row, ordinal) => ({ row, ordinal })).filter(({ ordinal }) => !done.has(ordinal));
    let wanted = true;
    const claim = keepClaim(async () => void (wanted = await this.evals.renew(run.id)), RENEW_MS);
    const goOn = () => wanted && !stopping.aborted;
    const work = ({ row, ordinal }: { row: EvalRow; ordinal: number }) =>
      this.runRow(whose, run, of.testingCriteria, row, ordinal, stopping);
    try {
      await severalAtOnce(waiting, AT_ONCE, goOn, work);
    } finally {
      claim.end();
    }
    if (wanted && !stopping.aborted) await this.evals.move(run.id, 'completed');
  }

  private async runRow(
    whose: Whose,
    run: EvalRun,
    graders: Grader[],
    row: EvalRow,
    ordinal: number,
    stopping: AbortSignal,
  ): Promise<void> {
    const sample = await this.sampler.sample(whose, run.dataSource, run.model, row, stopping).catch(failedSample);
    // Stopped midway: whoever goes on with the run asks again.
    if (sample === null) return;
    const graded = sample.error ? [] : await this.gradeAll(whose, graders, row, sample).catch(failedSample);
    const broken = Array.isArray(graded) ? sample : { ...sample, error: graded.error };
    const results = Array.isArray(graded) ? graded : [];
    const status = broken.error ? 'error' : results.every(({ passed }) => passed) ? 'pass' : 'fail';
    await this.evals.addItem({ runId: run.id, ordinal, item: row.item, results, sample: broken, status });
  }

  private async gradeAll(
    whose: Whose,
    graders: Grader[],
    { item, sample: given }: EvalRow,
    sample: EvalSample,
  ): Promise<EvalGradeResult[]> {
    const context = { item, sample: { ...given, output_text: sample.output[0]?.content ?? '' } };
    const results: EvalGradeResult[] = [];
    for (const grader of graders) {
      const found = await grade(grader, context, (request) =>
        this.sampler.judge(whose, { ...request, model: request.model || this.model.id }),
      );
      results.push({ type: grader.type, ...found });
    }
    return results;
  }
}

const failedSample = (error: unknown): EvalSample => ({
  error: { code: 'sampling_failed', message: messageOf(error) },
  finish_reason: null,
  input: [],
  output: [],
  model: '',
  max_completion_tokens: null,
  seed: null,
  temperature: null,
  top_p: null,
  usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0, cached_tokens: 0 },
});
