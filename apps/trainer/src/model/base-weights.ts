import type { TuningJobConfig } from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';
import { roundBase } from '@attune/training';
import type { BaseModel } from './base-model.js';

/**
 * The model with its weights as a job wants them under what it trains: rounded to 8 bits, training, scoring and sampling
 * all run what int8 serving runs. That is the CPU's arithmetic: a device that `auto` found is left alone.
 * @throws InvalidRequestError where a device is named, or the processor cannot sum 8-bit products
 */
export async function withBaseWeights(
  model: BaseModel,
  config: Pick<TuningJobConfig, 'base_weights'>,
): Promise<BaseModel> {
  if (config.base_weights === 'fp32') return model;
  if (model.memory && model.device?.wish !== 'auto')
    throw new InvalidRequestError(
      '`base_weights` "int8" trains on the CPU only; set TRAINER_DEVICE=cpu, or use `base_weights` "fp32"',
    );
  if (!(await model.runtime.exactProducts()))
    throw new InvalidRequestError(
      '`base_weights` "int8" needs a processor that sums products of 8-bit integers exactly (VNNI, AMX, or ARM), and this ' +
        'one cuts them off; use `base_weights` "fp32"',
    );
  return { ...model, memory: undefined, rounded: roundBase(model.config, model.parameters) };
}
