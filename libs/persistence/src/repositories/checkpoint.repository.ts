import { channels, type GateReport } from '@attune/contracts';
import { ConflictError, createId, NotFoundError } from '@attune/platform';
import { DataSource, type EntityManager } from 'typeorm';
import { Checkpoint, Promotion, TuningJob } from '../entities/index.js';
import { rollbackTarget, type RollbackTarget } from '../promotion-history.js';

export type NewCheckpoint = Pick<
  Checkpoint,
  'id' | 'jobId' | 'parentId' | 'baseDigest' | 'adapterDigest' | 'weightsDigest' | 'folder' | 'metrics'
>;
/** `checkpoint` null = the base weights; `promotion` null = nothing was ever promoted. */
export interface LiveWeights {
  checkpoint: Checkpoint | null;
  promotion: Promotion | null;
}
export interface CheckpointWithPromotion extends Checkpoint {
  /** When it last went live. */
  promotedAt: Date | null;
}

/** What must hold at the moment of a promotion; checked in its transaction. */
export interface PromotionTerms {
  /** What the candidate was measured against: it goes live in place of this checkpoint (null: the base weights) only. */
  expectedLive?: string | null;
  /** Digest of the base weights that serve; adapters of others fit no layer of them. */
  baseDigest?: string;
}

/** The code of the ConflictError of a promotion that found other weights live than `expectedLive`. */
export const LIVE_HAS_CHANGED = 'live_has_changed';

/** Any constant, as long as every process takes the same one; promotions take turns behind it. */
const PROMOTION_LOCK = 0x61747072;

/** Trained weights and which of them are live. */
export class CheckpointRepository {
  constructor(private readonly db: DataSource) {}

  /** Registers a candidate whose folder is complete on disk. */
  async add(row: NewCheckpoint): Promise<Checkpoint> {
    await this.db.getRepository(Checkpoint).insert(row);
    return this.get(row.id);
  }

  /** @throws NotFoundError */
  async get(id: string): Promise<Checkpoint> {
    const checkpoint = await this.db.getRepository(Checkpoint).findOneBy({ id });
    if (!checkpoint) throw new NotFoundError(`There is no checkpoint \`${id}\`.`);
    return checkpoint;
  }

  /** The checkpoint that answers with this `system_fingerprint` came from; null for the base weights. */
  findByWeightsDigest(weightsDigest: string): Promise<Checkpoint | null> {
    return this.db.getRepository(Checkpoint).findOne({ where: { weightsDigest }, order: { createdAt: 'desc' } });
  }

  /** Newest first. */
  async list(limit: number): Promise<CheckpointWithPromotion[]> {
    const order = { createdAt: 'desc', id: 'desc' } as const;
    const checkpoints = await this.db.getRepository(Checkpoint).find({ order, take: limit });
    const rows: { checkpoint_id: string; at: Date }[] = await this.db.query(
      'select checkpoint_id, max(created_at) as at from promotion where checkpoint_id = any($1) group by checkpoint_id',
      [checkpoints.map(({ id }) => id)],
    );
    const promotedAt = new Map(rows.map((row) => [row.checkpoint_id, row.at]));
    return checkpoints.map((checkpoint) => ({ ...checkpoint, promotedAt: promotedAt.get(checkpoint.id) ?? null }));
  }

  /**
   * Stores what the gate measured; a candidate that failed becomes `rejected`.
   * @throws NotFoundError
   * @throws ConflictError when the checkpoint is no candidate (any more)
   */
  async setGateReport(id: string, gateReport: GateReport): Promise<Checkpoint> {
    const status = gateReport.passed ? 'candidate' : 'rejected';
    const result = await this.db.getRepository(Checkpoint).update({ id, status: 'candidate' }, { gateReport, status });
    const checkpoint = await this.get(id);
    if (!result.affected) throw new ConflictError(`Checkpoint \`${id}\` is ${checkpoint.status}, not a candidate.`);
    return checkpoint;
  }

  /**
   * Makes a checkpoint (null: the base weights) the live one: statuses, history and the notification in one
   * transaction, so that no reader sees two live checkpoints or none. Also how a rollback is done.
   * @throws NotFoundError
   * @throws ConflictError when it is live already, has not passed its gate, was never to go live, or the terms do not hold
   */
  promote(checkpointId: string | null, actor: string, reason: string, terms: PromotionTerms = {}): Promise<Promotion> {
    return this.db.transaction(async (tx) => {
      await tx.query('select pg_advisory_xact_lock($1)', [PROMOTION_LOCK]);
      const previous = await tx.getRepository(Checkpoint).findOneBy({ status: 'live' });
      await assertPromotable(tx, checkpointId, previous, terms);
      if (previous) await tx.getRepository(Checkpoint).update({ id: previous.id }, { status: 'retired' });
      if (checkpointId) await tx.getRepository(Checkpoint).update({ id: checkpointId }, { status: 'live' });
      const id = createId('promo');
      const previousCheckpointId = previous?.id ?? null;
      await tx.getRepository(Promotion).insert({ id, checkpointId, previousCheckpointId, actor, reason });
      await tx.query('select pg_notify($1, $2)', [channels.checkpointPromoted, checkpointId ?? 'base']);
      return tx.getRepository(Promotion).findOneByOrFail({ id });
    });
  }

  /** What new answers must come from. Gateways ask at start and after every notification. */
  async live(): Promise<LiveWeights> {
    const checkpoint = await this.db.getRepository(Checkpoint).findOneBy({ status: 'live' });
    const [promotion = null] = await this.promotions(1);
    return { checkpoint, promotion };
  }

  /** Where one step back leads. */
  async rollbackTarget(): Promise<RollbackTarget> {
    const history = await this.db.getRepository(Promotion).find({ order: { seq: 'asc' } });
    return rollbackTarget(history);
  }

  /** Newest first. */
  promotions(limit: number): Promise<Promotion[]> {
    return this.db.getRepository(Promotion).find({ order: { seq: 'desc' }, take: limit });
  }
}

async function assertPromotable(
  tx: EntityManager,
  id: string | null,
  live: Checkpoint | null,
  { expectedLive, baseDigest }: PromotionTerms,
): Promise<void> {
  if (id === (live?.id ?? null)) throw new ConflictError(`\`${id ?? 'base'}\` is live already.`);
  if (expectedLive !== undefined && expectedLive !== (live?.id ?? null)) {
    throw new ConflictError(
      `\`${id ?? 'base'}\` was measured against \`${expectedLive ?? 'base'}\`, but \`${live?.id ?? 'base'}\` is live now.`,
      { code: LIVE_HAS_CHANGED },
    );
  }
  if (id === null) return;
  const checkpoint = await tx.getRepository(Checkpoint).findOneBy({ id });
  if (!checkpoint) throw new NotFoundError(`There is no checkpoint \`${id}\`.`);
  if (!checkpoint.gateReport) throw new ConflictError(`Checkpoint \`${id}\` has no gate report; it cannot go live.`);
  if (!checkpoint.gateReport.passed) throw new ConflictError(`Checkpoint \`${id}\` did not pass its gate.`);
  if (checkpoint.status === 'candidate') await expectMeantToGoLive(tx, checkpoint);
  if (baseDigest !== undefined && checkpoint.baseDigest !== baseDigest) {
    throw new ConflictError(
      `Checkpoint \`${id}\` was trained on other base weights than the ones served; set MODEL to the model it belongs to, or promote another.`,
    );
  }
}

/** The gate asks no evidence of being better of what is made to be named: it has not earned everybody's questions. */
async function expectMeantToGoLive(tx: EntityManager, { id, jobId }: Checkpoint): Promise<void> {
  const job = jobId === null ? null : await tx.getRepository(TuningJob).findOneBy({ id: jobId });
  if (job?.config.promotion !== 'never') return;
  throw new ConflictError(
    `Checkpoint \`${id}\` was trained to answer those who name it (\`promotion\` = \`never\`), and its gate did not ask whether it is better than what is live; train with \`promotion\` = \`auto\` for weights that can be promoted.`,
  );
}
