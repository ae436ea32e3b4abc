import {
  createCheckpointPermissionsRequest,
  listCheckpointPermissionsQuery,
  type CheckpointPermissionDeleted,
  type CheckpointPermissionObject,
  type CreateCheckpointPermissionsRequest,
  type CursorPage,
  type ListCheckpointPermissionsQuery,
} from '@attune/contracts';
import { CheckpointPermissionRepository, type CheckpointPermission } from '@attune/persistence';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { Roles } from '../auth/caller.js';
import { cursorPage } from '../core/list.js';
import { seconds } from '../core/seconds.js';
import { Validated } from '../core/validate.js';
import { parseModelName } from '../inference/model-name.js';
import { ServedModel } from '../inference/served-model.js';
import { ServedWeights } from '../inference/served-weights.js';

/** https://platform.openai.com/docs/api-reference/fine-tuning/create-checkpoint-permission */
@Controller('v1/fine_tuning/checkpoints/:checkpoint/permissions')
@Roles('admin')
export class CheckpointPermissionsController {
  constructor(
    private readonly model: ServedModel,
    private readonly weights: ServedWeights,
    private readonly permissions: CheckpointPermissionRepository,
  ) {}

  @Post()
  @HttpCode(200)
  async create(
    @Param('checkpoint') name: string,
    @Body(new Validated(createCheckpointPermissionsRequest)) { project_ids: ids }: CreateCheckpointPermissionsRequest,
  ): Promise<CursorPage<CheckpointPermissionObject>> {
    return cursorPage((await this.permissions.add(await this.idOf(name), ids)).map(view), false);
  }

  @Get()
  async list(
    @Param('checkpoint') name: string,
    @Query(new Validated(listCheckpointPermissionsQuery)) query: ListCheckpointPermissionsQuery,
  ): Promise<CursorPage<CheckpointPermissionObject>> {
    const { rows, hasMore } = await this.permissions.list(await this.idOf(name), query);
    return cursorPage(rows.map(view), hasMore);
  }

  @Delete(':id')
  async remove(@Param('checkpoint') name: string, @Param('id') id: string): Promise<CheckpointPermissionDeleted> {
    await this.permissions.remove(await this.idOf(name), id);
    return { id, object: 'checkpoint.permission', deleted: true };
  }

  /** @throws NotFoundError for the name of no checkpoint */
  private async idOf(name: string): Promise<string> {
    const asked = parseModelName(name, this.model.id);
    if (asked.kind !== 'checkpoint') throw this.model.notFound(name);
    return (await this.weights.find(asked.id, name)).id;
  }
}

const view = ({ id, createdAt, projectId }: CheckpointPermission): CheckpointPermissionObject => ({
  id,
  object: 'checkpoint.permission',
  created_at: seconds(createdAt),
  project_id: projectId,
});
