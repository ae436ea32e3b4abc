import { CheckpointPermissionRepository } from '@attune/persistence';
import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { parseModelName } from './model-name.js';
import { ServedModel } from './served-model.js';

/** Who may ask for which checkpoint by name. */
@Injectable()
export class CheckpointAccess {
  constructor(
    private readonly model: ServedModel,
    private readonly permissions: CheckpointPermissionRepository,
  ) {}

  /**
   * Makes sure that the caller may ask for this model; asks the database only where it names a checkpoint.
   * @throws NotFoundError `model_not_found`, as for one that is not there
   */
  async expect(caller: Caller, model: string): Promise<void> {
    const name = parseModelName(model, this.model.id);
    if (name.kind !== 'checkpoint' || (await this.allows(caller, name.id))) return;
    throw this.model.notFound(model);
  }

  async allows(caller: Caller, checkpointId: string): Promise<boolean> {
    return caller.role === 'admin' || this.permissions.allows(checkpointId, caller);
  }
}
