import { randomUUID } from 'node:crypto';
import { channels } from '@attune/contracts';
import { type ClaimedJob, Notifications, TuningRepository } from '@attune/persistence';
import { type Clock, type Logger, messageOf } from '@attune/platform';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { CLOCK, LOGGER } from '../core-tokens.js';
import { TrainerMetrics } from '../health/trainer-metrics.js';
import { isDiskFull } from './disk-full.js';
import { DivergedError } from './divergence.js';
import { HeartbeatTimer } from './heartbeat.js';
import { Journal } from './journal.js';
import { RunStopped } from './run-stopped.js';
import { SavedStates } from './saved-states.js';
import { TuningRun } from './tuning-run.js';

/** A job whose worker has been silent for longer is taken over. */
const STALE_SECONDS = 10;
/** A job that brings its trainer down this often is given up. */
const MAX_ATTEMPTS = 10;
/** Looks for work this often although nobody called: for jobs of workers that died, and notifications that got lost. */
const POLL_MS = 2_000;

/**
 * Works through the queue of training jobs, one at a time. A job that this process or another one left half done is
 * taken up again from its last saved state.
 */
@Injectable()
export class JobRunner implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** New for every process: a restarted trainer is another worker. */
  private readonly workerId = `trainer-${process.pid}-${randomUUID()}`;
  private readonly stopping = new AbortController();
  private wake: () => void = () => undefined;
  private current: { jobId: string; run: AbortController; heartbeat: HeartbeatTimer } | null = null;
  private loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly tuning: TuningRepository,
    private readonly notifications: Notifications,
    private readonly tuningRun: TuningRun,
    private readonly states: SavedStates,
    private readonly metrics: TrainerMetrics,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.notifications.listen(channels.jobQueued, () => this.wake());
    // Also what a person asks to pause.
    this.notifications.listen(channels.jobCancelled, () => this.current?.heartbeat.beat());
    this.notifications.start();
    this.loop = this.work();
  }

  /** Stops at the next step, with the state saved; the next trainer goes on from there. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    this.current?.run.abort(new RunStopped('shutdown'));
    this.wake();
    await this.loop;
  }

  private async work(): Promise<void> {
    await this.sweep();
    while (!this.stopping.signal.aborted) {
      const job = await this.claim();
      if (job) await this.runJob(job);
      else await this.idle();
    }
  }

  /** Saved states of jobs that ended while nobody worked on them (cancelled while paused, say). */
  private async sweep(): Promise<void> {
    try {
      await this.states.sweep(async (jobId) => {
        const { status } = await this.tuning.get(jobId);
        return status === 'succeeded' || status === 'cancelled';
      });
    } catch (error) {
      this.logger.warn(`saved states could not be looked through: ${messageOf(error)}`);
    }
  }

  private async claim(): Promise<ClaimedJob | null> {
    try {
      return await this.tuning.claim(this.workerId, { staleSeconds: STALE_SECONDS, maxAttempts: MAX_ATTEMPTS });
    } catch (error) {
      this.logger.warn(`no job can be claimed, trying again: ${messageOf(error)}`);
      return null;
    }
  }

  private idle(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.stopping.signal.aborted) this.wake();
    });
  }

  private async runJob(job: ClaimedJob): Promise<void> {
    const owner = { jobId: job.id, workerId: this.workerId };
    const journal = new Journal(this.tuning, owner, this.clock, this.logger);
    const run = new AbortController();
    const heartbeat = new HeartbeatTimer(this.tuning, owner, journal, run, this.logger);
    this.current = { jobId: job.id, run, heartbeat };
    if (this.stopping.signal.aborted) run.abort(new RunStopped('shutdown'));
    if (job.takenOver) journal.warn(`Attempt ${job.attempt}: the trainer before stopped while it worked on this job`);
    this.metrics.running.set(1);
    try {
      const checkpointId = await this.tuningRun.run(job, journal, run.signal);
      await journal.flush();
      await this.tuning.finish(job.id, this.workerId, { checkpointId });
      await this.states.forget(job.id);
      this.metrics.jobs.inc({ outcome: 'succeeded' });
    } catch (error) {
      await this.close(job.id, journal, run.signal.aborted ? run.signal.reason : error);
    } finally {
      heartbeat.stop();
      this.metrics.running.set(0);
      this.current = null;
    }
  }

  private async close(jobId: string, journal: Journal, reason: unknown): Promise<void> {
    const stopped = reason instanceof RunStopped ? reason.reason : null;
    this.metrics.jobs.inc({ outcome: stopped ?? 'failed' });
    this.logger[stopped ? 'info' : 'error']({ jobId, err: stopped ? undefined : reason }, messageOf(reason));
    if (stopped === 'lost') return;
    try {
      if (stopped === 'shutdown') return await this.handBack(jobId, journal);
      if (stopped === 'paused') return await this.pause(jobId, journal, 'Paused');
      if (isDiskFull(reason)) return await this.pauseForSpace(jobId, journal, reason);
      if (stopped === 'cancelled') journal.warn('Cancelled');
      else journal.error(messageOf(reason));
      await journal.flush();
      if (stopped === 'cancelled') await this.tuning.markCancelled(jobId, this.workerId);
      else await this.tuning.fail(jobId, this.workerId, messageOf(reason));
      // What was saved before training diverged is good; whoever wants to look into it finds it.
      if (!(reason instanceof DivergedError)) await this.states.forget(jobId);
    } catch (error) {
      // The job stays `running` in the rows; once the database answers again, it is taken over and fails again there.
      this.logger.error({ jobId, err: error }, 'the end of the job could not be written down');
    }
  }

  /** The job waits, its state kept, until a person resumes it. */
  private async pause(jobId: string, journal: Journal, message: string): Promise<void> {
    journal.info(message);
    await journal.flush();
    await this.tuning.markPaused(jobId, this.workerId);
  }

  /** A job that finds no room loses nothing: it waits with its last saved state instead of failing. */
  private async pauseForSpace(jobId: string, journal: Journal, reason: unknown): Promise<void> {
    journal.error(messageOf(reason));
    await this.tuning.requestPause(jobId);
    await this.pause(jobId, journal, 'Paused until there is room; free some space, then resume the job');
  }

  /** The next trainer goes on from the saved state at once; stopping in good order is no failed attempt. */
  private async handBack(jobId: string, journal: Journal): Promise<void> {
    await journal.flush();
    await this.tuning.release(jobId, this.workerId);
  }
}
