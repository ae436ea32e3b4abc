import type { Lineage } from '@attune/contracts';
import { Controller, Get, Param } from '@nestjs/common';
import { Roles } from '../auth/caller.js';
import { LineageService } from './lineage.service.js';

@Controller('v1/lineage')
@Roles('reviewer')
export class LineageController {
  constructor(private readonly lineage: LineageService) {}

  /** `:id` names a completion, a piece of feedback or a checkpoint. */
  @Get(':id')
  trace(@Param('id') id: string): Promise<Lineage> {
    return this.lineage.trace(id);
  }
}
