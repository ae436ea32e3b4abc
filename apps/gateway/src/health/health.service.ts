import type { TokenEngine } from '@attune/engine';
import { AccountRepository } from '@attune/persistence';
import { messageOf } from '@attune/platform';
import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { ENGINE } from '../core/tokens.js';
import { ServedModel } from '../inference/served-model.js';

export type Health = { status: 'ok'; model: string } | { status: 'unready'; problems: string[] };

const PATIENCE_MS = 2_000;

/** Whether a chat would be served now: the database answers and the engine does. */
@Injectable()
export class HealthService implements BeforeApplicationShutdown {
  private stopping = false;

  constructor(
    @Inject(ENGINE) private readonly engine: TokenEngine,
    private readonly accounts: AccountRepository,
    private readonly model: ServedModel,
  ) {}

  /** Load balancers look elsewhere while running answers are finished. */
  beforeApplicationShutdown(): void {
    this.stopping = true;
  }

  async check(): Promise<Health> {
    const problems = await Promise.all([
      problemOf('the database', this.accounts.countUsers()),
      problemOf('the engine', this.engine.stats()),
    ]);
    const all = [...problems.filter((problem) => problem !== undefined), ...(this.stopping ? ['it is stopping'] : [])];
    return all.length === 0 ? { status: 'ok', model: this.model.id } : { status: 'unready', problems: all };
  }
}

async function problemOf(name: string, answer: Promise<unknown>): Promise<string | undefined> {
  const timeout = new AbortController();
  const silence = sleep(PATIENCE_MS, 'silent', { signal: timeout.signal }).catch(() => undefined);
  try {
    const result = await Promise.race([answer, silence]);
    return result === 'silent' ? `${name} does not answer` : undefined;
  } catch (error) {
    return `${name}: ${messageOf(error)}`;
  } finally {
    timeout.abort();
  }
}
