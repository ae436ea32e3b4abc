import { CompletionRepository, type CompletionOutcome } from '@attune/persistence';
import { messageOf, NotFoundError, type Logger } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import { EventBus } from '../core/events.js';
import { OwedWrites } from '../core/owed-writes.js';
import { LOGGER } from '../core/tokens.js';
import { LiveWeights } from '../inference/live-weights.js';
import { Metrics } from '../metrics/metrics.js';
import type { CompletionRecord } from './completion-record.js';
import { GroupCommit } from './group-commit.js';

/** Writes how an answer ended: the row, the log line, the metrics. */
@Injectable()
export class CompletionCloser {
  private readonly closing: GroupCommit<CompletionOutcome & { id: string }, boolean>;

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly completions: CompletionRepository,
    private readonly weights: LiveWeights,
    private readonly metrics: Metrics,
    private readonly events: EventBus,
    private readonly owed: OwedWrites,
  ) {
    this.closing = new GroupCommit(async (outcomes) => {
      const known = await this.completions.closeAll(outcomes);
      return outcomes.map(({ id: one }) => known.has(one));
    });
  }

  /** Never throws: the reader has the answer, whether or not the database is there to note its end. */
  async close(id: string, record: CompletionRecord): Promise<void> {
    const outcome = record.outcome(this.weights.checkpointOf(record.weightsDigest));
    this.tell(id, outcome);
    try {
      await this.write(id, outcome);
    } catch (error) {
      this.logger.error({ completion: id, err: error }, `completion not closed yet: ${messageOf(error)}`);
      void this.writeLater(id, outcome);
    }
  }

  /**
   * Closes the row of an answer whose opening failed; its commit may have been heard all the same. Resolves when that is
   * written or given up; never throws.
   */
  async closeIfOpen(id: string, record: CompletionRecord): Promise<void> {
    const outcome = record.outcome(null);
    await this.owed.tidy(`the end of completion ${id}, if it was opened,`, () => this.closing.add({ ...outcome, id }));
  }

  private async write(id: string, outcome: CompletionOutcome): Promise<void> {
    const known = await this.closing.add({ ...outcome, id });
    if (!known) throw new NotFoundError(`There is no completion \`${id}\` that could be closed.`);
    this.events.emit('completion.closed', { completionId: id });
  }

  private async writeLater(id: string, outcome: CompletionOutcome): Promise<void> {
    if (await this.owed.keep(`the end of completion ${id}`, () => this.write(id, outcome))) return;
    // What people asked and were told is for the database alone, never for a log.
    const { answer: _, answerTokenIds, answerLogProbs: __, toolCalls, ...numbers } = outcome;
    const facts = { ...numbers, toolCalls: toolCalls?.length ?? 0, answerTokens: answerTokenIds.length };
    this.logger.error({ completion: id, outcome: facts }, 'completion given up; only its figures stand in this line');
  }

  private tell(id: string, outcome: CompletionOutcome): void {
    this.metrics.completion(outcome);
    this.logger.info({ completion: id, checkpoint: outcome.weightsDigest }, completionLine(outcome));
  }
}

/** `in=212 cached=128 prefillMs=41 ttftMs=55 out=96 tokPerSec=38 stop=length checkpoint=ad12` */
export function completionLine(outcome: CompletionOutcome): string {
  const decodeMs = (outcome.totalMs ?? 0) - (outcome.ttftMs ?? 0);
  const fields = {
    in: outcome.promptTokens,
    cached: outcome.cachedTokens,
    queueMs: rounded(outcome.queueMs),
    prefillMs: rounded(outcome.prefillMs),
    ttftMs: rounded(outcome.ttftMs),
    out: outcome.completionTokens,
    tokPerSec: decodeMs > 0 ? Math.round((1000 * Math.max(0, outcome.completionTokens - 1)) / decodeMs) : undefined,
    stop: outcome.stopReason,
    checkpoint: outcome.weightsDigest?.replace(/^fp_/, '').slice(0, 8),
  };
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

const rounded = (value: number | null) => (value === null ? undefined : Math.round(value));
