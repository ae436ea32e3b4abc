import { CheckpointStore } from '@attune/checkpoint';
import { tuningJobConfig } from '@attune/contracts';
import type { Engine } from '@attune/engine';
import { CompletionRepository, type ClaimedJob, type DatasetRow } from '@attune/persistence';
import { type Clock, type Config, InvalidRequestError } from '@attune/platform';
import { holding } from '@attune/training';
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK, CONFIG } from '../core-tokens.js';
import { type Dataset, toDataset } from '../curation/dataset.js';
import { decideGate } from '../evaluation/gate.js';
import { measureCandidate } from '../evaluation/measure-candidate.js';
import { gateSuite } from '../evaluation/task-suite.js';
import { loadEngine } from '../model/base-model.js';
import { withBaseWeights } from '../model/base-weights.js';
import { interruptible } from '../model/interruptible.js';
import { ModelLoader } from '../model/model-loader.js';
import { describeDevice, forOneJob, nameOf } from '../model/training-device.js';
import { describeForm, type Policy, weightsOf } from '../model/policy.js';
import { checkpointContent } from '../publish/checkpoint-content.js';
import { checkpointMetrics, describePublished } from '../publish/published-report.js';
import { CheckpointPublisher, type Published } from '../publish/publish-checkpoint.js';
import type { RecipeContext } from '../recipes/recipe-context.js';
import { startingPolicy } from '../recipes/starting-policy.js';
import { type Candidate, trainCandidate } from '../recipes/train-candidate.js';
import { giveWayToServing } from './give-way.js';
import { JobData } from './job-data.js';
import { longestSampled, refuseWithoutRows, refuseWithRows } from './job-memory.js';
import type { Journal } from './journal.js';
import { gigabytes } from './memory-limit.js';
import { RunState } from './run-state.js';
import { orStopped, RunStopped } from './run-stopped.js';
import { SavedStates } from './saved-states.js';
import { WeightsInUse } from './weights-in-use.js';

/** One training job from approved feedback to a checkpoint that is live, waits, or was stopped by the gate. */
@Injectable()
export class TuningRun {
  constructor(
    @Inject(CONFIG) private readonly settings: Config,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly models: ModelLoader,
    private readonly states: SavedStates,
    private readonly weights: WeightsInUse,
    private readonly data: JobData,
    private readonly store: CheckpointStore,
    private readonly publisher: CheckpointPublisher,
    private readonly completions: CompletionRepository,
  ) {}

  /**
   * Runs a job, or goes on with it where an earlier attempt was killed. Returns the checkpoint's id.
   * @throws when the signal is aborted, within seconds; AppError when the job cannot be done
   */
  async run(job: ClaimedJob, journal: Journal, signal: AbortSignal): Promise<string> {
    const opened = await this.open(job, journal, signal);
    const start = await this.begin(opened);
    const context = { ...opened, model: await withBaseWeights(opened.model, opened.config) };
    const engine = await loadEngine(context.model, longestSampled(context.config));
    try {
      const rows = await this.data.prepare(job.id, context, engine);
      const data = toDataset(rows);
      this.admit(context, start, rows);
      const candidate = await trainCandidate(context, engine, start, data);
      const published = await this.judge(job.id, context, engine, candidate, data, rows);
      const { sentence, asWanted } = describePublished(published);
      journal[asWanted ? 'info' : 'warn'](sentence);
      return published.id;
    } catch (error) {
      if (wantsToGoOn(signal.reason)) await context.state.saveWhenWhole();
      throw error;
    } finally {
      await engine.close();
    }
  }

  private async open(job: ClaimedJob, journal: Journal, signal: AbortSignal): Promise<RecipeContext> {
    const config = tuningJobConfig.parse(job.config);
    const loading = this.models.get((name) => journal.info(`Loading the model ${name}`));
    // It may have to be downloaded first; the next job finds it loaded then.
    const model = await orStopped(loading, signal);
    const parent = () => this.weights.parentOf(config, model, journal);
    const state = await RunState.open(this.states.of(job.id), parent, model.digest);
    if (state.resumed) journal.info(`Going on with stage ${state.cursor.stage} at step ${state.cursor.step}`);
    const { trainerSaveSeconds, trainerRestShare: share } = this.settings.tuning;
    return {
      model: { ...forOneJob(model, journal, job.takenOver), runtime: interruptible(model.runtime, signal) },
      config,
      state,
      journal,
      signal,
      clock: this.clock,
      saveEveryMs: trainerSaveSeconds * 1000,
      giveWay: giveWayToServing(this.completions, { share }),
    };
  }

  /** The weights to train, once it is known that there is room for them, whatever the data. */
  private async begin(context: RecipeContext): Promise<Policy> {
    const { model, config, state } = context;
    const start = await startingPolicy(this.store, state.cursor.parentId, model, config);
    refuseWithoutRows(context, start.form, this.settings.tuning.trainerMemoryGb);
    return start;
  }

  /** Says what is trained where, once it is known that training it on these rows fits into memory. */
  private admit(context: RecipeContext, { form }: Policy, rows: readonly DatasetRow[]): void {
    const { model, journal } = context;
    journal.info(describeForm(model, form));
    journal.info(describeDevice(model));
    const needed = refuseWithRows(context, form, rows, this.settings.tuning.trainerMemoryGb);
    const there = model.memory ? `, and ${gigabytes(needed.onDevice)} GB on ${nameOf(model.memory.device.kind)}` : '';
    journal.info(`Needs about ${gigabytes(needed.here)} GB of memory${there}`);
  }

  /** Measured against what is live, through the gate, onto the disk, and live where it may. */
  private async judge(
    jobId: string,
    context: RecipeContext,
    engine: Engine,
    candidate: Candidate,
    { heldout }: Dataset,
    rows: readonly DatasetRow[],
  ): Promise<Published> {
    const { model, config, state, journal, signal } = context;
    const { policy, reward, objectives } = candidate;
    return holding(reward ? [reward.scorer] : [], async () => {
      if (objectives.length === 0)
        throw new InvalidRequestError('No stage of this job has data to train on; approve more feedback');
      journal.info('Measuring the candidate against the live weights');
      const live = await this.weights.live(model);
      const measures = await measureCandidate({
        model,
        engine,
        candidate: weightsOf(policy),
        live: live.weights,
        heldout,
        reward: candidate.judge,
        suite: gateSuite(config.gate.suite_examples_per_family),
        seed: config.seed,
        signal,
        onProgress: (done, of) => journal.progress('evaluate', done, of),
      });
      const content = await checkpointContent(model, policy, reward, {
        parentId: state.cursor.parentId,
        jobId,
        baseModel: model.name,
        baseDigest: model.digest,
        objectives,
        seed: config.seed,
        datasetRowIds: rows.filter(({ split }) => split === 'train').map(({ id }) => id),
        config,
        metrics: checkpointMetrics(measures, reward?.accuracy ?? null),
      });
      return await this.publisher.publish({
        id: state.cursor.checkpointId,
        report: decideGate(measures, config),
        autoPromote: this.settings.tuning.tuningAutoPromote && config.promotion === 'auto',
        measuredAgainst: live.id,
        signal,
        content,
      });
    });
  }
}

/**
 * Whoever stops like this wants to go on later: the steps made so far are saved. Only a stop between the updates of one
 * step of PPO or GRPO saves nothing, and costs what was done since the save before.
 */
const wantsToGoOn = (reason: unknown): boolean =>
  reason instanceof RunStopped && (reason.reason === 'shutdown' || reason.reason === 'paused');
