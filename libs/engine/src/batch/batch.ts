import { type Clock, messageOf } from '@attune/platform';
import type { Adapters } from '../adapters.js';
import type { Runner } from '../running/runner.js';
import { arrange, decodeRuns } from '../scheduling/arrange.js';
import { ChunkBudget, type ChunkLimits } from '../scheduling/chunk-budget.js';
import { planStep } from '../scheduling/scheduler.js';
import type { Sequence } from '../sequence.js';
import type { Speculator } from '../speculation/speculator.js';
import { Admission } from './admission.js';
import { Answers } from './answers.js';
import { Roster } from './roster.js';
import { Runs } from './runs.js';

/** All sequences under way, and the step that moves every one of them on. */
export class Batch {
  private readonly roster: Roster;
  private readonly admission: Admission;
  private readonly answers: Answers;
  private readonly runs: Runs;
  private readonly chunks: ChunkBudget;

  constructor(runner: Runner, adapters: Adapters, clock: Clock, limits: ChunkLimits, speculator: Speculator | null) {
    this.roster = new Roster(runner.cache, clock);
    this.admission = new Admission(this.roster, runner, adapters);
    this.answers = new Answers(this.roster);
    this.chunks = new ChunkBudget(limits);
    this.runs = new Runs(runner, this.roster, this.answers, this.chunks, speculator);
  }

  get counters(): Roster['counters'] {
    return this.roster.counters;
  }

  get numWaiting(): number {
    return this.roster.waiting.size;
  }

  get numRunning(): number {
    return this.roster.running.size;
  }

  add(sequence: Sequence): void {
    this.roster.add(sequence);
  }

  find(id: string): Sequence | undefined {
    return this.roster.find(id);
  }

  cancelAll(): void {
    for (const sequence of this.roster.all) sequence.cancelled = true;
  }

  /** Moves everyone on; a step that breaks outside a run ends everyone, rather than leaving them to wait for ever. */
  async step(): Promise<void> {
    try {
      await this.planAndRun();
    } catch (error) {
      for (const sequence of this.roster.all) this.roster.end(sequence, 'failed', { error: messageOf(error) });
    }
  }

  /** Plan, reserve, run, sample, commit. */
  private async planAndRun(): Promise<void> {
    const { counters, all, running, shares, slots } = this.roster;
    counters.steps += 1;
    for (const sequence of all) if (sequence.cancelled) this.roster.end(sequence, 'cancelled');
    this.answers.endCompleted();
    this.admission.admit();
    const plan = planStep(
      this.answers.able().map((sequence) => sequence.view(shares.of(sequence.user))),
      (numDecoding) => this.chunks.tokens(numDecoding),
    );
    const decoding = plan.decode.map((id) => running.get(id)!);
    slots.exchange(arrange(decoding.map(placed)));
    for (const run of decodeRuns(decoding.map(placed))) await this.runs.decode(run, decoding);
    for (const { id, count } of plan.prefill) await this.runs.prefill(running.get(id)!, count);
  }
}

/** All weights can share a run but merged ones, which are a model of their own. */
const placed = ({ slot, weights }: Sequence) => ({
  slot,
  group: weights!.prepared?.kind === 'merged' ? weights!.id.digest : 'base and adapters',
});
