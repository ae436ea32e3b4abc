import type { CheckpointContent, CheckpointStore } from '@attune/checkpoint';
import type { GateReport } from '@attune/contracts';
import { type Checkpoint, type CheckpointRepository, LIVE_HAS_CHANGED } from '@attune/persistence';
import { ConflictError, NotFoundError } from '@attune/platform';

export type Published =
  | { readonly outcome: 'promoted'; readonly id: string }
  /** Passed, and waits for a person; `reason` when it would have gone live by itself. */
  | { readonly outcome: 'candidate'; readonly id: string; readonly reason?: string }
  | { readonly outcome: 'rejected'; readonly id: string; readonly reasons: readonly string[] };

export interface PublishPlan {
  readonly id: string;
  readonly content: CheckpointContent;
  readonly report: GateReport;
  readonly autoPromote: boolean;
  /** The checkpoint the report compares with (null: the base weights); only in its place may the candidate go live. */
  readonly measuredAgainst: string | null;
  /** Aborted when the job was cancelled or is another worker's: then nothing goes live. */
  readonly signal: AbortSignal;
}

/**
 * Puts a measured candidate on disk, into the rows, and, when it passed and may, live. Every step finds out whether an
 * earlier attempt did it already: a trainer killed anywhere in here publishes once.
 */
export class CheckpointPublisher {
  constructor(
    private readonly store: CheckpointStore,
    private readonly checkpoints: Pick<
      CheckpointRepository,
      'add' | 'get' | 'setGateReport' | 'promote' | 'promotions'
    >,
  ) {}

  /** @throws the signal's reason when it is aborted */
  async publish(plan: PublishPlan): Promise<Published> {
    const { id, content, report, signal } = plan;
    signal.throwIfAborted();
    const manifest = await this.store.publish(id, content);
    const { jobId, parentId, baseDigest, metrics } = content.manifest;
    const row = await this.find(id);
    if (!row) {
      const { adapterDigest, modelDigest, weightsDigest } = manifest;
      if (adapterDigest === null && modelDigest === null)
        throw new ConflictError(`Checkpoint \`${id}\` has neither adapter nor model; nothing was trained.`);
      await this.checkpoints.add({
        id,
        jobId,
        parentId,
        baseDigest,
        adapterDigest,
        weightsDigest,
        folder: id,
        metrics: { ...metrics },
      });
    }
    // A candidate that an earlier attempt measured has been measured again, against what is live by now.
    const undecided = !row || row.status === 'candidate';
    if (undecided) await this.checkpoints.setGateReport(id, report);
    return this.decide(plan, undecided ? report : (row.gateReport ?? report));
  }

  private async decide(plan: PublishPlan, report: GateReport): Promise<Published> {
    const { id, autoPromote } = plan;
    if (!report.passed) {
      const failed = report.checks.filter(({ passed }) => !passed);
      return {
        outcome: 'rejected',
        id,
        reasons: failed.map(({ reason, bound }) => `${reason} (must be ${bound})`),
      };
    }
    if (!autoPromote) return { outcome: 'candidate', id };
    return (await this.wasPromoted(id)) ? { outcome: 'promoted', id } : this.promote(plan);
  }

  private async promote({ id, measuredAgainst, signal }: PublishPlan): Promise<Published> {
    signal.throwIfAborted();
    try {
      const reason = 'passed the gate; TUNING_AUTO_PROMOTE is on';
      await this.checkpoints.promote(id, 'trainer', reason, { expectedLive: measuredAgainst });
      return { outcome: 'promoted', id };
    } catch (error) {
      if (!(error instanceof ConflictError) || error.code !== LIVE_HAS_CHANGED) throw error;
      return { outcome: 'candidate', id, reason: error.message };
    }
  }

  /** Once promoted it is not promoted again, also when a person has rolled it back since. */
  private async wasPromoted(id: string): Promise<boolean> {
    return (await this.checkpoints.promotions(100)).some(({ checkpointId }) => checkpointId === id);
  }

  private async find(id: string): Promise<Checkpoint | null> {
    try {
      return await this.checkpoints.get(id);
    } catch (error) {
      if (error instanceof NotFoundError) return null;
      throw error;
    }
  }
}
