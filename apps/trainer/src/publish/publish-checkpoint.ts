import type { CheckpointContent, CheckpointStore } from '@attune/checkpoint';
import type { GateReport } from '@attune/contracts';
import type { Checkpoint, CheckpointRepository } from '@attune/persistence';
import { ConflictError, NotFoundError } from '@attune/platform';

export type Published =
  | { readonly outcome: 'promoted'; readonly id: string }
  /** Passed, and waits for a person. */
  | { readonly outcome: 'candidate'; readonly id: string }
  | { readonly outcome: 'rejected'; readonly id: string; readonly reasons: readonly string[] };

export interface PublishPlan {
  readonly id: string;
  readonly content: CheckpointContent;
  readonly report: GateReport;
  readonly autoPromote: boolean;
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

  async publish({ id, content, report, autoPromote }: PublishPlan): Promise<Published> {
    const manifest = await this.store.publish(id, content);
    const { jobId, parentId, baseDigest, metrics } = content.manifest;
    const row = await this.find(id);
    if (!row) {
      const { adapterDigest, weightsDigest } = manifest;
      if (adapterDigest === null) throw new ConflictError(`Checkpoint \`${id}\` has no adapter; nothing was trained.`);
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
    if (!row?.gateReport) await this.checkpoints.setGateReport(id, report);
    return this.decide(id, row?.gateReport ?? report, autoPromote);
  }

  private async decide(id: string, report: GateReport, autoPromote: boolean): Promise<Published> {
    if (!report.passed) {
      const failed = report.checks.filter(({ passed }) => !passed);
      return {
        outcome: 'rejected',
        id,
        reasons: failed.map(({ reason, bound }) => `${reason} (must be ${bound})`),
      };
    }
    if (!autoPromote) return { outcome: 'candidate', id };
    if (!(await this.wasPromoted(id))) {
      await this.checkpoints.promote(id, 'trainer', 'passed the gate; TUNING_AUTO_PROMOTE is on');
    }
    return { outcome: 'promoted', id };
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
