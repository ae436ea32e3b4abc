import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { TrainingStateStore } from '@attune/checkpoint';
import type { Config } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '../core-tokens.js';
import type { RunCursor, StateStore } from './run-state.js';

/** Where jobs that are under way keep what they need to go on: a folder each below DATA_DIR/training. */
@Injectable()
export class SavedStates {
  private readonly folder: string;

  constructor(@Inject(CONFIG) { storage }: Config) {
    this.folder = path.join(storage.dataDir, 'training');
  }

  of(jobId: string): StateStore {
    return this.storeOf(jobId);
  }

  /** Drops what a job saved; once its end is written down, not before. */
  async forget(jobId: string): Promise<void> {
    await this.storeOf(jobId).clear();
  }

  /** Drops the states of jobs that have ended for good. */
  async sweep(hasEnded: (jobId: string) => Promise<boolean>): Promise<void> {
    const jobIds = await readdir(this.folder).catch(() => []);
    for (const jobId of jobIds) if (await hasEnded(jobId).catch(() => false)) await this.forget(jobId);
  }

  private storeOf(jobId: string): TrainingStateStore<RunCursor> {
    return new TrainingStateStore<RunCursor>(path.join(this.folder, jobId));
  }
}
