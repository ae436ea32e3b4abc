import {
  countValues,
  type Objective,
  openTrainStep,
  type OpenStepOptions,
  type ParameterSet,
  type TrainingStep,
  type TuningForm,
} from '@attune/training';
import { foundationOf } from '../model/policy.js';
import { nameOf } from '../model/training-device.js';
import { MovingStep, type WorkingStep } from './moving-step.js';
import { optimizerOf } from './optimizer.js';
import type { RecipeContext } from './recipe-context.js';

/** What a stage trains, and by which objective. */
export interface StagePlan<Batch> {
  readonly stage: string;
  readonly form: TuningForm;
  readonly objective: Objective<Batch>;
  readonly trainable: ParameterSet;
  /** Parameters of the model's own that stand still beside the base weights. */
  readonly standing?: ParameterSet;
}

export type StageStep<Batch> = Pick<TrainingStep<Batch>, 'run' | 'release'>;

type Context = Pick<RecipeContext, 'config' | 'model' | 'state' | 'journal' | 'signal'>;

/** Gradients longer than this are shortened to it. */
const CLIP_NORM = 1;

/**
 * The training step of a stage, where the trainer works: the one place where steps are made. Its optimizer goes on where
 * the last save left it, and every save asks the step for what lies elsewhere, until it is released.
 */
export async function openStageStep<Batch>(
  context: Context,
  { stage, form, objective, trainable, standing = new Map() }: StagePlan<Batch>,
): Promise<StageStep<Batch>> {
  const { config, model, state } = context;
  const { frozen, ...foundation } = foundationOf(model, form);
  const step = await openWhereItWorks(context, {
    ...foundation,
    frozen: new Map([...frozen, ...standing]),
    switches: { activationCheckpointing: config.activation_checkpointing },
    objective,
    trainable,
    optimizer: state.trackOptimizer(`${stage}-optimizer`, optimizerOf(config)),
    clipNorm: CLIP_NORM,
  });
  const forget = state.beforeSaves(() => step.fetch());
  const release = async () => {
    // One that fails has lost what it trained: the saves must go on asking for it, and fail.
    await step.release();
    forget();
  };
  return { run: (microBatches, learningRate) => step.run(microBatches, learningRate), release };
}

/** @throws UnavailableError when a device that was named has no room for the step */
async function openWhereItWorks<Batch>(
  { journal, signal }: Context,
  options: OpenStepOptions<Batch>,
): Promise<WorkingStep<Batch>> {
  const { memory, ...onCpu } = options;
  if (!memory || memory.isGivenUp) return openTrainStep(onCpu);
  const step = await MovingStep.open({ ...options, memory }, signal);
  if (!memory.isGivenUp)
    journal.info(`${describeBytes(memory.bytes, options.trainable)} lie on ${nameOf(memory.device.kind)}`);
  return step;
}

/** What a step holds from its beginning; what a run keeps for its backward pass comes on top. */
function describeBytes(parameters: number, trainable: ParameterSet): string {
  const ofOptimizer = ARRAYS_OF_OPTIMIZER * FLOAT_BYTES * countValues(trainable);
  return `${megabytes(parameters)} MB of weights and ${megabytes(ofOptimizer)} MB of gradients and moments`;
}

/** Gradients and the two moments of AdamW. */
const ARRAYS_OF_OPTIMIZER = 3;
const FLOAT_BYTES = 4;

const megabytes = (bytes: number): string => String(Number((bytes / 1e6).toPrecision(2)));
