import type { ListCheckpointPermissionsQuery } from '@attune/contracts';
import { createId, InvalidRequestError, NotFoundError } from '@attune/platform';
import { DataSource, In } from 'typeorm';
import { ApiKey, CheckpointPermission, User } from '../entities/index.js';
import { inOrder, keyset } from './keyset.js';

/** Who may name which checkpoint. */
export class CheckpointPermissionRepository {
  constructor(private readonly db: DataSource) {}

  /**
   * Whether a user, by this key, may name the checkpoint. What is live or came from feedback is everybody's; what a
   * fine-tuning job made is its owner's and theirs who were let.
   */
  async allows(checkpointId: string, whose: { userId: string; keyId: string }): Promise<boolean> {
    const [{ allowed }]: [{ allowed: boolean }] = await this.db.query(
      `select not exists (
           select from checkpoint c join fine_tuning_job j on j.id = c.job_id
           where c.id = $1 and c.status <> 'live' and j.user_id <> $2)
         or exists (
           select from checkpoint_permission where checkpoint_id = $1 and project_id in ($2, $3)) as allowed`,
      [checkpointId, whose.userId, whose.keyId],
    );
    return allowed;
  }

  /**
   * One permission a project, in their order; one that is there already stays as it is.
   * @throws InvalidRequestError for a project that is neither a user nor a key
   */
  async add(checkpointId: string, projectIds: readonly string[]): Promise<CheckpointPermission[]> {
    await this.expectProjects(projectIds);
    const permissions = this.db.getRepository(CheckpointPermission);
    const rows = projectIds.map((projectId) => ({ id: createId('cp'), checkpointId, projectId }));
    await permissions.createQueryBuilder().insert().values(rows).orIgnore().execute();
    const found = await permissions.findBy({ checkpointId, projectId: In([...projectIds]) });
    return projectIds.flatMap((projectId) => found.filter((one) => one.projectId === projectId));
  }

  async list(
    checkpointId: string,
    { project_id: projectId, order, ...page }: ListCheckpointPermissionsQuery,
  ): Promise<{ rows: CheckpointPermission[]; hasMore: boolean }> {
    const query = { ...page, order: order === 'ascending' ? 'asc' : 'desc' } as const;
    const rows = this.db
      .getRepository(CheckpointPermission)
      .createQueryBuilder('p')
      .where('p.checkpointId = :checkpointId', { checkpointId });
    if (projectId !== undefined) rows.andWhere('p.projectId = :projectId', { projectId });
    return inOrder(await keyset(rows, query, 'checkpoint_permission').getMany(), query);
  }

  /** @throws NotFoundError */
  async remove(checkpointId: string, id: string): Promise<void> {
    const result = await this.db.getRepository(CheckpointPermission).delete({ id, checkpointId });
    if (!result.affected) throw new NotFoundError(`Checkpoint \`${checkpointId}\` has no permission \`${id}\`.`);
  }

  private async expectProjects(ids: readonly string[]): Promise<void> {
    const where = { id: In([...ids]) };
    const users = await this.db.getRepository(User).findBy(where);
    const keys = await this.db.getRepository(ApiKey).findBy(where);
    const known = new Set([...users, ...keys].map(({ id }) => id));
    const unknown = ids.find((id) => !known.has(id));
    if (unknown === undefined) return;
    throw new InvalidRequestError(
      `There is no project \`${unknown}\`; name users (\`user_…\`, with all their keys) or keys (\`key_…\`).`,
      { param: 'project_ids' },
    );
  }
}
