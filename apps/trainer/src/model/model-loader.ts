import type { Config } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '../core-tokens.js';
import { type BaseModel, loadBaseModel } from './base-model.js';

/** Loads the base model with the first job and keeps it: a trainer without work costs next to no memory. */
@Injectable()
export class ModelLoader {
  private model: Promise<BaseModel> | null = null;

  constructor(@Inject(CONFIG) private readonly settings: Config) {}

  /**
   * @param onLoading told the model's name when it is not in memory yet
   * @throws AppError with one sentence when it cannot be found or read
   */
  get(onLoading: (name: string) => void): Promise<BaseModel> {
    if (this.model) return this.model;
    onLoading(this.settings.model.model);
    this.model = loadBaseModel(this.settings);
    // A model that could not be loaded may be there next time.
    this.model.catch(() => (this.model = null));
    return this.model;
  }
}
