import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { CheckpointStore, TrainingStateStore } from '@attune/checkpoint';
import { type TuningJobConfig, tuningJobConfig } from '@attune/contracts';
import { Engine } from '@attune/engine';
import { CheckpointRepository, CompletionRepository, type DatasetRow, type TuningJob } from '@attune/persistence';
import { type Clock, type Config, InvalidRequestError } from '@attune/platform';
import type { TuningForm } from '@attune/training';
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK, CONFIG } from '../core-tokens.js';
import { aiRows, wantsAiFeedback } from '../constitution/ai-rows.js';
import { EndpointJudge } from '../constitution/endpoint-judge.js';
import { loadConstitution } from '../constitution/principle.js';
import { ServedJudge } from '../constitution/served-judge.js';
import type { SplitRow, SuppliedRow } from '../curation/curated-row.js';
import { toDataset } from '../curation/dataset.js';
import { DatasetBuilder, MAX_ROW_TOKENS } from '../curation/dataset-builder.js';
import { MAX_ANSWER_TOKENS } from '../evaluation/answers.js';
import { decideGate, type GateMeasures } from '../evaluation/gate.js';
import { measureCandidate } from '../evaluation/measure-candidate.js';
import { gateSuite } from '../evaluation/task-suite.js';
import { countTokens } from '../model/answer-sequence.js';
import { type BaseModel, loadBaseModel, loadEngine, readParameters } from '../model/base-model.js';
import { describeForm, type FixedWeights, weightsOf } from '../model/policy.js';
import { checkpointContent } from '../publish/checkpoint-content.js';
import { serve } from '../model/served.js';
import { CheckpointPublisher, type Published } from '../publish/publish-checkpoint.js';
import type { RecipeContext } from '../recipes/recipe-context.js';
import { canContinue, startingPolicy } from '../recipes/starting-policy.js';
import { type Candidate, trainCandidate } from '../recipes/train-candidate.js';
import { giveWayToServing } from './give-way.js';
import type { Journal } from './journal.js';
import { refuseTooLarge } from './memory-limit.js';
import { type RunCursor, RunState } from './run-state.js';
import { RunStopped } from './run-stopped.js';

/** One training job from approved feedback to a checkpoint that is live, waits, or was stopped by the gate. */
@Injectable()
export class TuningRun {
  /** Loaded with the first job: a trainer without work costs next to no memory. */
  private model: Promise<BaseModel> | null = null;

  constructor(
    @Inject(CONFIG) private readonly settings: Config,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly datasets: DatasetBuilder,
    private readonly store: CheckpointStore,
    private readonly checkpoints: CheckpointRepository,
    private readonly publisher: CheckpointPublisher,
    private readonly completions: CompletionRepository,
  ) {}

  /**
   * Runs a job, or goes on with it where an earlier attempt was killed. Returns the checkpoint's id.
   * @throws the signal's reason when it is aborted, AppError when the job cannot be done
   */
  async run(job: TuningJob, journal: Journal, signal: AbortSignal): Promise<string> {
    const config = tuningJobConfig.parse(job.config);
    const model = await this.loadModel(journal);
    const parent = () => this.parentOf(model, config, journal);
    const state = await RunState.open(this.stateStore(job.id), parent, model.digest);
    if (state.resumed) journal.info(`Going on with stage ${state.cursor.stage} at step ${state.cursor.step}`);
    const context: RecipeContext = {
      gradedRows: await this.datasets.gradedRows(config),
      model,
      config,
      state,
      journal,
      signal,
      clock: this.clock,
      saveEveryMs: this.settings.tuning.trainerSaveSeconds * 1000,
      giveWay: giveWayToServing(this.completions, { share: this.settings.tuning.trainerRestShare }),
    };
    const engine = await loadEngine(model, MAX_ROW_TOKENS + longestAnswer(config));
    try {
      const rows = await this.prepareDataset(job.id, context, engine);
      const published = await this.trainAndPublish(job.id, context, engine, rows);
      const asWanted = published.outcome === 'promoted' || (published.outcome === 'candidate' && !published.reason);
      journal[asWanted ? 'info' : 'warn'](describe(published));
      return published.id;
    } catch (error) {
      // Stopping in good order costs not a single step.
      if (signal.reason instanceof RunStopped && keepsState(signal.reason)) await state.save();
      throw error;
    } finally {
      await engine.close();
    }
  }

  /** Drops what a job saved for going on with it; once its end is written down, not before. */
  async forget(jobId: string): Promise<void> {
    await this.stateStore(jobId).clear();
  }

  /** Drops the saved states of jobs that have ended for good. */
  async sweep(hasEnded: (jobId: string) => Promise<boolean>): Promise<void> {
    const jobIds = await readdir(this.statesFolder).catch(() => []);
    for (const jobId of jobIds) if (await hasEnded(jobId).catch(() => false)) await this.forget(jobId);
  }

  private async trainAndPublish(jobId: string, context: RecipeContext, engine: Engine, rows: readonly DatasetRow[]) {
    const { model, config, state, journal } = context;
    const data = toDataset(rows);
    const start = await startingPolicy(this.store, state.cursor.parentId, model, config);
    journal.info(describeForm(model, start.form));
    await this.refuseTooLarge(context, engine, start.form, rows);
    const candidate = await trainCandidate(context, engine, start, data);
    try {
      if (candidate.objectives.length === 0)
        throw new InvalidRequestError('No stage of this job has data to train on; approve more feedback');
      journal.info('Measuring the candidate against the live weights');
      const live = await this.liveWeights(model);
      const measures = await measureCandidate({
        model,
        engine,
        candidate: weightsOf(candidate.policy),
        live: live.weights,
        heldout: data.heldout,
        reward: candidate.judge,
        suite: gateSuite(config.gate.suite_examples_per_family),
        seed: config.seed,
        signal: context.signal,
        onProgress: (done, of) => journal.progress('evaluate', done, of),
      });
      return await this.publish(jobId, context, candidate, { ...measures, against: live.id }, rows);
    } finally {
      await candidate.reward?.scorer.release();
    }
  }

  private async publish(
    jobId: string,
    { model, config, state, signal }: RecipeContext,
    { policy, reward, objectives }: Candidate,
    measures: GateMeasures & { against: string | null },
    rows: readonly DatasetRow[],
  ): Promise<Published> {
    return this.publisher.publish({
      id: state.cursor.checkpointId,
      report: decideGate(measures, config),
      autoPromote: this.settings.tuning.tuningAutoPromote && config.promotion === 'auto',
      measuredAgainst: measures.against,
      signal,
      content: await checkpointContent(model, policy, reward, {
        parentId: state.cursor.parentId,
        jobId,
        baseModel: model.name,
        baseDigest: model.digest,
        objectives,
        seed: config.seed,
        datasetRowIds: rows.filter(({ split }) => split === 'train').map(({ id }) => id),
        config,
        metrics: toMetrics(measures, reward?.accuracy ?? null),
      }),
    });
  }

  /** The job's rows: those an attempt before stored, else fresh ones. From here on they never change. */
  private async prepareDataset(jobId: string, context: RecipeContext, engine: Engine): Promise<DatasetRow[]> {
    const { model, config, state, journal } = context;
    if (!state.isFinished('curate')) {
      const suite = gateSuite(config.gate.suite_examples_per_family);
      const addRows = wantsAiFeedback(config)
        ? (rows: readonly SplitRow[]) => this.askConstitution(rows, context, engine)
        : undefined;
      await this.datasets.build(jobId, config, model, suite, journal, addRows);
      await state.finish('curate');
    }
    const rows = await this.datasets.rows(jobId);
    if (rows.some(({ split }) => split === 'train') || needsNoRows(config)) return rows;
    throw new InvalidRequestError('There is no approved feedback to learn from; approve corrections or choices first');
  }

  /** Before anything is trained; the longest row says how wide a batch can get. */
  private async refuseTooLarge(
    { model, config, journal }: RecipeContext,
    engine: Engine,
    form: TuningForm,
    rows: readonly DatasetRow[],
  ): Promise<void> {
    const { limits } = await engine.stats();
    const { trainerMemoryGb } = this.settings.tuning;
    const needed = refuseTooLarge({
      model: model.config,
      config,
      form,
      longestRow: longestRow(model, rows),
      sampler: { slots: limits.slots, maxSeq: limits.maxSeq },
      allowed: trainerMemoryGb > 0 ? trainerMemoryGb * 1e9 : Infinity,
    });
    journal.info(`Needs about ${(needed / 1e9).toPrecision(2)} GB of memory`);
  }

  /** Rows that a model writes or judges, with the weights this job starts from. */
  private async askConstitution(
    rows: readonly SplitRow[],
    { model, config, state, journal, signal }: RecipeContext,
    engine: Engine,
  ): Promise<SuppliedRow[]> {
    const { constitution, judge: kind } = config.ai_feedback;
    const folder = path.join(this.settings.storage.dataDir, 'constitutions');
    const principles = await loadConstitution(constitution, folder);
    const weights = weightsOf(await startingPolicy(this.store, state.cursor.parentId, model, config));
    const served = await serve(model, engine, weights);
    try {
      const writer = new ServedJudge(model, served, weights, signal);
      const judge = kind === 'self' ? writer : new EndpointJudge(this.settings.tuning);
      return await aiRows(rows, { config, principles, judge, writer, journal });
    } finally {
      await served.release();
    }
  }

  private loadModel(journal: Journal): Promise<BaseModel> {
    if (this.model === null) {
      journal.info(`Loading the model ${this.settings.model.model}`);
      this.model = loadBaseModel(this.settings);
      // A model that could not be loaded may be there next time.
      this.model.catch(() => (this.model = null));
    }
    return this.model;
  }

  /** The checkpoint to go on from; null for the base weights. */
  private async parentOf(model: BaseModel, config: TuningJobConfig, journal: Journal): Promise<string | null> {
    if (config.start === 'base') return null;
    if (config.start === 'live') return this.liveParent(model, config, journal);
    const { id, baseDigest } = await this.checkpoints.get(config.start);
    if (baseDigest === model.digest && canContinue(await this.store.open(id), config)) return id;
    throw new InvalidRequestError(`Checkpoint ${id} is of another form or base than this job; start from \`base\``);
  }

  private async liveParent(model: BaseModel, config: TuningJobConfig, journal: Journal): Promise<string | null> {
    const { checkpoint } = await this.checkpoints.live();
    if (checkpoint === null) return null;
    const { id, baseDigest } = checkpoint;
    if (baseDigest !== model.digest) {
      journal.warn(`Checkpoint ${id} is live but belongs to other base weights; starting from ${model.name}`);
      return null;
    }
    const { manifest } = await this.store.open(id);
    if (canContinue({ manifest }, config)) return id;
    journal.warn(
      `Checkpoint ${id} is live as ${manifest.kind}, this job trains ${config.form}; starting from the base weights`,
    );
    return null;
  }

  /** What answers now: weights over another base fit none of this model's layers, so the base weights answer. */
  private async liveWeights(model: BaseModel): Promise<{ id: string | null; weights: FixedWeights }> {
    const { checkpoint } = await this.checkpoints.live();
    if (checkpoint?.baseDigest !== model.digest) return { id: checkpoint?.id ?? null, weights: { kind: 'base' } };
    const { adapter, model: folder } = await this.store.open(checkpoint.id);
    const { id } = checkpoint;
    if (folder) return { id, weights: { kind: 'full', parameters: readParameters(folder, model.config) } };
    return { id, weights: adapter ? { kind: 'adapter', adapter } : { kind: 'base' } };
  }

  private stateStore(jobId: string): TrainingStateStore<RunCursor> {
    return new TrainingStateStore<RunCursor>(path.join(this.statesFolder, jobId));
  }

  private get statesFolder(): string {
    return path.join(this.settings.storage.dataDir, 'training');
  }
}

/** In tokens, over everything that samples. */
const longestAnswer = ({ ppo, grpo }: TuningJobConfig): number =>
  Math.max(MAX_ANSWER_TOKENS, ppo.max_answer_tokens, grpo.max_answer_tokens);

function longestRow({ tokenizer }: BaseModel, rows: readonly DatasetRow[]): number {
  const length = (prompt: DatasetRow['prompt'], content: string) =>
    countTokens(tokenizer, [...prompt, { role: 'assistant', content }]);
  return rows.reduce(
    (longest, { prompt, chosen, rejected }) =>
      Math.max(longest, length(prompt, chosen), rejected === null ? 0 : length(prompt, rejected)),
    1,
  );
}

/** Whoever stops like this wants to go on later. */
const keepsState = ({ reason }: RunStopped): boolean => reason === 'shutdown' || reason === 'paused';

/** Prompts that come with their own checks need no rows of the dataset. */
const needsNoRows = ({ stages, grpo }: TuningJobConfig): boolean =>
  stages.every((stage) => stage === 'grpo') && grpo.grader.kind !== 'regex';

function toMetrics(measures: GateMeasures, rewardAccuracy: number | null): Record<string, number> {
  const metrics: Record<string, number | null | undefined> = {
    heldout_loss: measures.heldoutLoss?.candidate,
    heldout_loss_live: measures.heldoutLoss?.live,
    win_rate: measures.winRate?.value,
    suite: measures.suite.candidate,
    suite_live: measures.suite.live,
    kl: measures.kl,
    reward_accuracy: rewardAccuracy,
  };
  return Object.fromEntries(
    Object.entries(metrics).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  );
}

function describe(published: Published): string {
  const { outcome, id } = published;
  if (outcome === 'promoted') return `Checkpoint ${id} passed the gate and is live`;
  if (outcome === 'candidate')
    return `Checkpoint ${id} passed the gate and waits to be promoted${published.reason ? `: ${published.reason}` : ''}`;
  return `Checkpoint ${id} was stopped by the gate: ${published.reasons.join('; ')}`;
}
