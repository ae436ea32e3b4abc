import { isDatabaseAway, type Claim, type LeasedQueue } from '@attune/persistence';
import { messageOf, UnavailableError, type Logger } from '@attune/platform';

/** Times a job is begun without getting on, before it is given up. */
export const MOST_ATTEMPTS = 3;
/** Also how soon somebody hears that their job was cancelled. */
const RENEW_MS = 2_000;
const TURN_MS = 15_000;
/** The status of a job that somebody cancelled while it was worked on. */
const CANCELLING = 'cancelling';

export interface JobQueue<Job> {
  /** Names the job in the log. */
  name: string;
  logger: Logger;
  claims: Pick<LeasedQueue, 'renew' | 'giveBack' | 'putBack' | 'othersWait'>;
  claim(): Promise<Job | null>;
  /** Does the job, or as much of it as it may until `stopping`; the end of the job lets go of its claim. */
  work(job: Job, held: HeldClaim, stopping: AbortSignal): Promise<void>;
  /** How long a job goes on while others wait; left out: 15 seconds. */
  turnMs?: number;
  /** Ends a job that cannot be done, with the reason. */
  giveUp(job: Job, reason: string): Promise<void>;
}

/**
 * Jobs of a queue in the database, one after the other until there is none; a long one lets others go before it now and
 * then. One that fails is put back and tried again
 * a little later, a few times; then it is given up. A gateway that stops, or a database that is away, costs no attempt.
 */
export function untilNoneIsLeft<Job extends { claim: Claim }>(
  queue: JobQueue<Job>,
): (stopping: AbortSignal) => Promise<void> {
  let owed: Claim | null = null;
  return async (stopping) => {
    while (!stopping.aborted) {
      if (owed) await queue.claims.giveBack(owed);
      owed = null;
      const job = await queue.claim();
      if (!job) return;
      // Kept until the database has heard of it, so that nobody waits for a claim to run out.
      owed = job.claim;
      if (await tried(queue, job, stopping)) await queue.claims.giveBack(job.claim);
      owed = null;
    }
  };
}

/** @returns whether the job is to be given back, if it is still held */
async function tried<Job extends { claim: Claim }>(
  queue: JobQueue<Job>,
  job: Job,
  stopping: AbortSignal,
): Promise<boolean> {
  const { attempts, lastError } = job.claim;
  if (attempts > MOST_ATTEMPTS) {
    await queue.giveUp(job, lastError ?? `the gateway that worked on it ended ${MOST_ATTEMPTS} times`);
    return false;
  }
  const held = new HeldClaim(() => queue.claims.renew(job.claim), RENEW_MS);
  const turn = new Turn(() => queue.claims.othersWait(), queue.turnMs ?? TURN_MS);
  try {
    await queue.work(job, held, AbortSignal.any([stopping, turn.over]));
    return true;
  } catch (error) {
    if (isAway(error)) throw error;
    await failed(queue, job, error);
    return false;
  } finally {
    held.end();
    turn.end();
  }
}

/** Not the job's fault, and the same may work a little later. An engine that broke meanwhile may have broken of the job. */
function isAway(error: unknown): boolean {
  return isDatabaseAway(error) || (error instanceof UnavailableError && error.code !== 'engine_failed');
}

async function failed<Job extends { claim: Claim }>(queue: JobQueue<Job>, job: Job, error: unknown): Promise<void> {
  const reason = messageOf(error);
  const last = job.claim.attempts >= MOST_ATTEMPTS;
  queue.logger.warn({ err: error }, `${queue.name} failed${last ? '' : ', tried again soon'}: ${reason}`);
  await (last ? queue.giveUp(job, reason) : queue.claims.putBack(job.claim, reason));
}

/** Is over when it has lasted so long and others wait. */
class Turn {
  private readonly ending = new AbortController();
  private readonly timer: NodeJS.Timeout;
  readonly over = this.ending.signal;

  constructor(othersWait: () => Promise<boolean>, ms: number) {
    const look = async () => {
      // What it throws is tried again.
      if (await othersWait().catch(() => false)) this.ending.abort();
    };
    this.timer = setInterval(() => void look(), ms).unref();
  }

  end(): void {
    clearInterval(this.timer);
  }
}

/** A claim that is renewed every so often for as long as the work takes. */
export class HeldClaim {
  private status: string | null | undefined;
  private readonly timer: NodeJS.Timeout;
  private readonly ending = new AbortController();
  private renewing?: Promise<void>;
  private renewingNext?: Promise<void>;
  /** Aborted when the job is to end: somebody cancelled it, or it is no longer ours. */
  readonly over: AbortSignal = this.ending.signal;

  /** @param renew gives the status of the job, null when it is somebody else's */
  constructor(
    private readonly renew: () => Promise<string | null>,
    everyMs: number,
  ) {
    // What it throws is tried again; meanwhile the claim may run out, and writes find that out.
    this.timer = setInterval(() => void this.renewed().catch(() => undefined), everyMs).unref();
  }

  /** Whether the job is still ours, as far as we know. */
  get ours(): boolean {
    return this.status !== null;
  }

  /** Whether somebody asked to end it. */
  get cancelled(): boolean {
    return this.status === CANCELLING;
  }

  /** Asks what has become of the job by now: a renewal that has begun already may have asked before. */
  look(): Promise<void> {
    if (!this.renewing) return this.renewed();
    this.renewingNext ??= this.renewing
      .catch(() => undefined)
      .then(() => {
        this.renewingNext = undefined;
        return this.renewed();
      });
    return this.renewingNext;
  }

  /** One renewal at a time: one that waits for the database must not be joined by more. */
  private renewed(): Promise<void> {
    this.renewing ??= this.renew()
      .then((status) => this.hear(status))
      .finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  /** A write was refused. */
  lost(): void {
    this.hear(null);
  }

  end(): void {
    clearInterval(this.timer);
  }

  private hear(status: string | null): void {
    // A renewal that was under way when the claim was lost does not bring it back.
    if (!this.ours) return;
    this.status = status;
    if (status === null || status === CANCELLING) this.ending.abort();
  }
}
