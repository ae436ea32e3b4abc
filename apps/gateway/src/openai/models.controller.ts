import type { ListBody, Model } from '@attune/contracts';
import { Controller, Get, Param } from '@nestjs/common';
import { list } from '../core/list.js';
import { ServedModel } from '../inference/served-model.js';

/** https://platform.openai.com/docs/api-reference/models */
@Controller('v1/models')
export class ModelsController {
  constructor(private readonly model: ServedModel) {}

  @Get()
  list(): ListBody<Model> {
    return list([this.view()]);
  }

  @Get(':id')
  get(@Param('id') id: string): Model {
    this.model.expect(id);
    return this.view();
  }

  private view(): Model {
    return { id: this.model.id, object: 'model', created: this.model.created, owned_by: 'attune' };
  }
}
