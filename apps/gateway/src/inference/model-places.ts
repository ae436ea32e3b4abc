import { CheckpointStore, weightsDigest } from '@attune/checkpoint';
import { CheckpointRepository, type Checkpoint } from '@attune/persistence';
import { ConflictError, InternalError, type Config } from '@attune/platform';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import path from 'node:path';
import { CONFIG } from '../core/tokens.js';
import { ServedModel } from './served-model.js';

/** A model on disk, by what it must be. */
export interface ModelPlace {
  readonly folder: string;
  readonly digest: string;
}

/** Where the weights of checkpoints lie, and the models that they are added to. */
@Injectable()
export class ModelPlaces implements OnModuleInit {
  private readonly store: CheckpointStore;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly checkpoints: CheckpointRepository,
    private readonly model: ServedModel,
  ) {
    this.store = new CheckpointStore(path.join(config.storage.dataDir, 'checkpoints'));
  }

  onModuleInit(): Promise<void> {
    return this.store.sweep();
  }

  /** MODEL's own. */
  get base(): ModelPlace {
    return { folder: this.model.folder, digest: this.model.baseDigest };
  }

  folderOf(checkpoint: Checkpoint): string {
    return this.store.folderOf(checkpoint.folder);
  }

  /** A full fine-tune's own model. @throws InternalError when the checkpoint has none */
  async ofFull(checkpoint: Checkpoint): Promise<ModelPlace> {
    const { modelDigest } = await this.store.manifest(checkpoint.folder);
    if (modelDigest === null) throw new InternalError(`Checkpoint \`${checkpoint.id}\` has neither adapter nor model.`);
    return { folder: this.store.modelFolderOf(checkpoint.folder), digest: modelDigest };
  }

  /**
   * The model that a checkpoint was trained over: MODEL's, or a full fine-tune of it.
   * @throws ConflictError when it is neither: its numbers would fit the layers and mean nothing
   */
  async under(checkpoint: Checkpoint): Promise<ModelPlace> {
    const { baseDigest } = checkpoint;
    if (baseDigest === this.model.baseDigest) return this.base;
    const full = await this.checkpoints.findByWeightsDigest(weightsDigest(baseDigest, null));
    if (full?.adapterDigest === null && full.baseDigest === this.model.baseDigest) {
      const place = await this.ofFull(full);
      if (place.digest === baseDigest) return place;
    }
    throw new ConflictError(
      `Checkpoint \`${checkpoint.id}\` was trained on other base weights than \`${this.model.id}\` has, and on no full fine-tune of them that is here; set MODEL to the model it belongs to, or promote another.`,
      { param: 'model', code: 'model_not_served' },
    );
  }
}
