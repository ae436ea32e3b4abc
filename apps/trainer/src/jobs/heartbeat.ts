import type { TuningRepository } from '@attune/persistence';
import { type Logger, messageOf } from '@attune/platform';
import type { Journal } from './journal.js';
import { RunStopped } from './run-stopped.js';

const BEAT_MS = 2_000;

/**
 * Tells the database every two seconds that the job is worked on, writes the journal down, and aborts the run when the
 * job was cancelled, paused or taken away. A database that is away for a moment stops nothing: the next beat tries again.
 */
export class HeartbeatTimer {
  private readonly timer: NodeJS.Timeout;
  private beating = false;

  constructor(
    private readonly tuning: Pick<TuningRepository, 'heartbeat'>,
    private readonly owner: { readonly jobId: string; readonly workerId: string },
    private readonly journal: Journal,
    private readonly run: AbortController,
    private readonly logger: Logger,
    beatMs = BEAT_MS,
  ) {
    this.timer = setInterval(() => void this.beat(), beatMs);
  }

  /** One beat now, e.g. because a cancellation was announced. */
  async beat(): Promise<void> {
    if (this.beating) return;
    this.beating = true;
    try {
      const verdict = await this.tuning.heartbeat(this.owner.jobId, this.owner.workerId);
      if (verdict === 'cancel') this.run.abort(new RunStopped('cancelled'));
      else if (verdict === 'pause') this.run.abort(new RunStopped('paused'));
      else if (verdict === 'lost') this.run.abort(new RunStopped('lost'));
      else await this.journal.flush();
    } catch (error) {
      this.logger.warn({ jobId: this.owner.jobId }, `heartbeat failed, trying again: ${messageOf(error)}`);
    } finally {
      this.beating = false;
    }
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
