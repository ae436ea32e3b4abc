import { CheckpointStore } from '@attune/checkpoint';
import type { TuningJobConfig } from '@attune/contracts';
import { CheckpointRepository } from '@attune/persistence';
import { InvalidRequestError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import { type BaseModel, readParameters } from '../model/base-model.js';
import type { FixedWeights } from '../model/policy.js';
import { canContinue } from '../recipes/starting-policy.js';
import type { Journal } from './journal.js';

export interface LiveWeights {
  /** Null: the base weights. */
  readonly id: string | null;
  readonly weights: FixedWeights;
}

/** The checkpoints a job begins with and is measured against. */
@Injectable()
export class WeightsInUse {
  constructor(
    private readonly store: CheckpointStore,
    private readonly checkpoints: CheckpointRepository,
  ) {}

  /**
   * The checkpoint to go on from; null for the base weights.
   * @throws InvalidRequestError when the job names one that it cannot go on from
   */
  async parentOf(config: TuningJobConfig, model: BaseModel, journal: Pick<Journal, 'warn'>): Promise<string | null> {
    if (config.start === 'base') return null;
    if (config.start === 'live') return this.liveParent(config, model, journal);
    const { id, baseDigest } = await this.checkpoints.get(config.start);
    if (baseDigest === model.digest && canContinue(await this.store.open(id), config)) return id;
    throw new InvalidRequestError(`Checkpoint ${id} is of another form or base than this job; start from \`base\``);
  }

  /** What answers now: weights over another base fit none of this model's layers, so the base weights answer. */
  async live(model: BaseModel): Promise<LiveWeights> {
    const { checkpoint } = await this.checkpoints.live();
    if (checkpoint?.baseDigest !== model.digest) return { id: checkpoint?.id ?? null, weights: { kind: 'base' } };
    const { id } = checkpoint;
    const { adapter, model: folder } = await this.store.open(id);
    if (folder) return { id, weights: { kind: 'full', parameters: readParameters(folder, model.config) } };
    return { id, weights: adapter ? { kind: 'adapter', adapter } : { kind: 'base' } };
  }

  private async liveParent(
    config: TuningJobConfig,
    model: BaseModel,
    journal: Pick<Journal, 'warn'>,
  ): Promise<string | null> {
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
}
