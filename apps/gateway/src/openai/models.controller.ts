import type { ListBody, Model } from '@attune/contracts';
import type { Checkpoint } from '@attune/persistence';
import { Controller, Get, Param } from '@nestjs/common';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { list } from '../core/list.js';
import { CheckpointAccess } from '../inference/checkpoint-access.js';
import { checkpointModelName, parseModelName } from '../inference/model-name.js';
import { ServedModel } from '../inference/served-model.js';
import { ServedWeights } from '../inference/served-weights.js';

/** https://platform.openai.com/docs/api-reference/models */
@Controller('v1/models')
export class ModelsController {
  constructor(
    private readonly model: ServedModel,
    private readonly weights: ServedWeights,
    private readonly access: CheckpointAccess,
  ) {}

  /** The model as it is live, and the checkpoints that answer to their own names without being loaded first. */
  @Get()
  async list(@CurrentCaller() caller: Caller): Promise<ListBody<Model>> {
    const mayAsk = await Promise.all(this.weights.ready.map(({ id }) => this.access.allows(caller, id)));
    const named = this.weights.ready.filter((_, index) => mayAsk[index]);
    return list([this.view(this.model.id), ...named.map((checkpoint) => this.checkpointView(checkpoint))]);
  }

  @Get(':id')
  async get(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<Model> {
    await this.access.expect(caller, id);
    const name = parseModelName(id, this.model.id);
    if (name.kind === 'checkpoint') return this.checkpointView(await this.weights.find(name.id, id));
    this.model.expect(id);
    return this.view(name.kind === 'base' ? id : this.model.id);
  }

  private checkpointView({ id, createdAt }: Checkpoint): Model {
    return this.view(checkpointModelName(this.model.id, id), Math.floor(createdAt.getTime() / 1000));
  }

  private view(id: string, created = this.model.created): Model {
    return { id, object: 'model', created, owned_by: 'attune' };
  }
}
