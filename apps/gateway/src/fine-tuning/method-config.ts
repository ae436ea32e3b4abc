import {
  tuningJobConfig,
  type CreateFineTuningJobRequest,
  type FineTuningMethod,
  type Grader,
  type TuningJobConfig,
} from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';

type Stage = 'sft' | 'dpo' | 'kto' | 'reward' | 'ppo' | 'grpo';

/** The method a request asks for; the old top-level hyperparameters are the supervised one's. */
export function methodOf({ method, hyperparameters }: CreateFineTuningJobRequest): FineTuningMethod {
  if (method) return method;
  const form = 'lora' as const;
  const auto = { n_epochs: 'auto', batch_size: 'auto', learning_rate_multiplier: 'auto' } as const;
  return { type: 'supervised', supervised: { hyperparameters: { ...auto, ...hyperparameters, form } } };
}

/** A method's hyperparameters, whichever it is. */
export function hyperparametersOf(method: FineTuningMethod) {
  switch (method.type) {
    case 'supervised':
      return method.supervised.hyperparameters;
    case 'dpo':
      return method.dpo.hyperparameters;
    case 'reinforcement':
      return method.reinforcement.hyperparameters;
    case 'ppo':
      return method.ppo.hyperparameters;
    case 'kto':
      return method.kto.hyperparameters;
    case 'reward_model':
      return method.reward_model.hyperparameters;
  }
}

export interface FineTuningInputs {
  method: FineTuningMethod;
  /** `live`, `base`, or a checkpoint's id. */
  start: string;
  userId: string;
  trainingFile: string;
  validationFile: string | null;
  seed?: number;
}

/** The training job that does what was asked; what is left on `auto` takes the trainer's own defaults. */
export function configOf({ method, start, userId, seed, ...files }: FineTuningInputs): TuningJobConfig {
  const { form } = hyperparametersOf(method);
  const file = (id: string, split: 'auto' | 'train' | 'heldout') => ({ file_id: id, user_id: userId, split });
  const { trainingFile, validationFile } = files;
  const rows = validationFile
    ? [file(trainingFile, 'train'), file(validationFile, 'heldout')]
    : [file(trainingFile, 'auto')];
  return tuningJobConfig.parse({
    ...stagesOf(method, { file_id: trainingFile, user_id: userId }),
    form,
    start,
    promotion: 'never',
    ...(seed !== undefined && { seed }),
    // Rows that are graded are no examples to imitate.
    data: { feedback: false, files: method.type === 'reinforcement' ? [] : rows },
  });
}

function stagesOf(method: FineTuningMethod, file: { file_id: string; user_id: string }) {
  const stage = (name: Stage, extra: object = {}) => ({ [name]: { ...steps(name, method), ...extra } });
  switch (method.type) {
    case 'supervised':
      return { stages: ['sft'], ...stage('sft') };
    case 'dpo':
      return { stages: ['dpo'], ...stage('dpo', number('beta', method.dpo.hyperparameters.beta)) };
    case 'kto':
      return { stages: ['kto'], ...stage('kto', number('beta', method.kto.hyperparameters.beta)) };
    case 'reward_model':
      return { stages: ['reward'], ...stage('reward') };
    case 'ppo': {
      const kl = number('kl_coef', method.ppo.hyperparameters.beta);
      return { stages: ['reward', 'ppo'], ...stage('reward'), ...stage('ppo', kl) };
    }
    case 'reinforcement': {
      const { grader } = method.reinforcement;
      expectNoJudge(grader);
      return { stages: ['grpo'], ...stage('grpo', { grader: { kind: 'rows', grader, ...file } }) };
    }
  }
}

/** @throws InvalidRequestError for graders that ask a model: while it trains, the trainer has none to ask */
function expectNoJudge(grader: Grader): void {
  const parts = grader.type === 'multi' ? Object.values(grader.graders) : [grader];
  const judge = parts.find(({ type }) => type === 'label_model' || type === 'score_model');
  if (!judge) return;
  throw new InvalidRequestError(
    `\`${judge.name}\` asks a model, which a training job cannot; use string_check, text_similarity or multi of them.`,
    { param: 'method.reinforcement.grader' },
  );
}

/** The names a stage has for epochs, batch and learning rate. */
const names: Record<Stage, { epochs: string; batch: string }> = {
  sft: { epochs: 'epochs', batch: 'batch_size' },
  dpo: { epochs: 'epochs', batch: 'batch_size' },
  kto: { epochs: 'epochs', batch: 'batch_size' },
  reward: { epochs: 'epochs', batch: 'batch_size' },
  ppo: { epochs: 'iterations', batch: 'rollouts_per_iteration' },
  grpo: { epochs: 'iterations', batch: 'prompts_per_iteration' },
};

function steps(stage: Stage, method: FineTuningMethod): Record<string, number> {
  const { n_epochs: epochs, batch_size: batch, learning_rate_multiplier: multiplier } = hyperparametersOf(method);
  const usual = tuningJobConfig.parse({})[stage].learning_rate;
  return {
    ...number(names[stage].epochs, epochs),
    ...number(names[stage].batch, batch),
    ...(multiplier !== 'auto' && { learning_rate: usual * multiplier }),
    // Who names the number of epochs means all of them.
    ...(epochs !== 'auto' && 'max_steps' in tuningJobConfig.parse({})[stage] && { max_steps: 0 }),
  };
}

const number = (name: string, value: number | 'auto') => (value === 'auto' ? {} : { [name]: value });

/**
 * Which weights a job's `model` names: the served model's base, what is live, or one checkpoint.
 * @throws InvalidRequestError for anything else
 */
export function startOf(model: string, served: string): string {
  if (model === served) return 'base';
  if (model === 'default') return 'live';
  const checkpoint = model.startsWith(`${served}:`) ? model.slice(served.length + 1) : model;
  if (checkpoint.startsWith('ckpt_')) return checkpoint;
  throw new InvalidRequestError(
    `There is no model \`${model}\` to fine-tune; name \`${served}\`, \`default\` (what is live) or a checkpoint.`,
    { param: 'model', code: 'model_not_found' },
  );
}
