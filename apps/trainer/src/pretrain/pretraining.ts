import { TrainingStateStore } from '@attune/checkpoint';
import { parseModelConfig, type ModelConfig } from '@attune/models';
import { createRandom } from '@attune/platform';
import { createRuntime } from '@attune/runtime';
import type { TaskFamily } from '@attune/tasks';
import type { Tokenizer } from '@attune/tokenizer';
import {
  captureTraining,
  GreedyMatch,
  initialParameters,
  Muon,
  type ParameterSet,
  restoreTraining,
  sft,
  type StepResult,
  type TokenBatch,
  TrainStep,
  warmupStableDecay,
} from '@attune/training';
import { type DataCursor, ExampleBatches, firstCursor } from './example-batches.js';
import { measure, type Measurement } from './measure.js';
import { modelConfigJson, type PretrainRecipe } from './recipe.js';

interface SavedCursor {
  readonly step: number;
  readonly tokens: number;
  readonly optimizerStep: number;
  readonly data: DataCursor;
}

interface Prefetched {
  readonly from: DataCursor;
  readonly batches: readonly TokenBatch[];
}

/** A pretraining run: from a recipe to weights, one step at a time, resumable at any step. */
export class Pretraining {
  step = 0;
  /** Tokens read so far, padding left out. */
  tokens = 0;

  private cursor: DataCursor = firstCursor;
  private prefetched: Prefetched | null = null;

  private constructor(
    readonly recipe: PretrainRecipe,
    readonly config: ModelConfig,
    readonly parameters: ParameterSet,
    private readonly tokenizer: Tokenizer,
    private readonly optimizer: Muon,
    private readonly trainStep: TrainStep<TokenBatch>,
    private readonly match: GreedyMatch,
    private batches: ExampleBatches,
    private readonly store: TrainingStateStore<SavedCursor>,
    private readonly trainFamilies: readonly TaskFamily[],
  ) {}

  /** Takes up the run whose state lies in `stateFolder`, or begins it. */
  static async open(
    recipe: PretrainRecipe,
    tokenizer: Tokenizer,
    families: readonly TaskFamily[],
    options: { stateFolder: string; threads: number },
  ): Promise<Pretraining> {
    const config = parseModelConfig(modelConfigJson(recipe));
    const runtime = createRuntime({ threads: options.threads });
    const parameters = initialParameters(config, createRandom(recipe.seed));
    const optimizer = new Muon({
      runtime,
      weightDecay: recipe.weightDecay,
      adamw: { weightDecay: recipe.weightDecay },
    });
    const trainStep = await TrainStep.create({
      config,
      objective: sft(),
      trainable: parameters,
      optimizer,
      clipNorm: recipe.clipNorm,
      runtime,
    });
    const run = new Pretraining(
      recipe,
      config,
      parameters,
      tokenizer,
      optimizer,
      trainStep,
      await GreedyMatch.create(config, parameters, runtime),
      new ExampleBatches(recipe, tokenizer, families, firstCursor),
      new TrainingStateStore<SavedCursor>(options.stateFolder),
      families,
    );
    await run.restore();
    return run;
  }

  get finished(): boolean {
    return this.step >= this.recipe.steps;
  }

  async next(): Promise<StepResult & { learningRate: number; numTokens: number }> {
    const { learningRate: peak, warmupSteps, steps, decaySteps, microBatches } = this.recipe;
    const schedule = warmupStableDecay({ peak, warmupSteps, totalSteps: steps, decaySteps });
    const learningRate = schedule(this.step);
    const { batches } = this.prefetched ?? this.draw(microBatches);
    const running = this.trainStep.run(batches, learningRate);
    // The next step's data is tokenised while this one computes.
    const following = this.draw(microBatches);
    const result = await running;
    this.cursor = following.from;
    this.prefetched = following;
    const numTokens = batches.reduce((sum, { segments }) => sum + segments.filter((id) => id !== 0n).length, 0);
    this.step++;
    this.tokens += numTokens;
    return { ...result, learningRate, numTokens };
  }

  measure(families: readonly TaskFamily[], examplesPerFamily: number): Promise<Measurement> {
    return measure(this.match, this.tokenizer, families, examplesPerFamily);
  }

  /** The batches of one step and where the data stood before them. */
  private draw(count: number): Prefetched {
    const from = this.batches.cursor;
    return { from, batches: Array.from({ length: count }, () => this.batches.next()) };
  }

  async save(): Promise<void> {
    const { arrays, optimizerStep } = captureTraining(this.parameters, this.optimizer);
    const json = { step: this.step, tokens: this.tokens, optimizerStep, data: this.cursor };
    await this.store.save({ arrays, json });
  }

  private async restore(): Promise<void> {
    const saved = await this.store.load();
    if (!saved) return;
    const { step, tokens, optimizerStep, data } = saved.json;
    restoreTraining({ arrays: saved.arrays, optimizerStep }, this.parameters, this.optimizer);
    this.step = step;
    this.tokens = tokens;
    this.cursor = data;
    this.batches = new ExampleBatches(this.recipe, this.tokenizer, this.trainFamilies, data);
  }
}
