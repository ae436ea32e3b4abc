import { type Clock, messageOf } from '@attune/platform';
import { DivergedError, DivergenceGuard } from './divergence.js';
import type { Journal } from './journal.js';
import type { RunState } from './run-state.js';

/** What a stage's loop needs of the job it belongs to. */
export interface StageHost {
  readonly journal: Pick<Journal, 'step' | 'progress' | 'warn' | 'flush'>;
  readonly state: Pick<RunState, 'firstStep' | 'advance' | 'save'>;
  readonly clock: Clock;
  /** Aborted when the job is cancelled, taken away, or the trainer stops. */
  readonly signal: AbortSignal;
  /** Most milliseconds of work a kill may cost. */
  readonly saveEveryMs: number;
  /** Waits while people are served, given how long the step took; left out: never. */
  readonly giveWay?: (stepMs: number, signal: AbortSignal) => Promise<void>;
}

export interface StageStep {
  /** The step's numbers for the journal; `loss` and `gradNorm` are also judged. */
  readonly values: Readonly<Record<string, number>>;
  /** A sentence when the stage should end here although steps are left. */
  readonly stop?: string;
}

/**
 * Runs the steps of one stage from where it was left: each is written to the journal and judged, and the state is saved
 * from time to time.
 * @throws DivergedError when training diverges; the signal's reason when it is aborted
 */
export async function runStage(
  host: StageHost,
  stage: string,
  numSteps: number,
  runStep: (step: number) => Promise<StageStep>,
): Promise<void> {
  const guard = new DivergenceGuard();
  let savedMs = host.clock.monotonicMs();
  for (let step = host.state.firstStep(stage); step < numSteps; step++) {
    host.signal.throwIfAborted();
    host.journal.progress(stage, step, numSteps);
    const startedMs = host.clock.monotonicMs();
    const { values, stop } = await runStep(step);
    const stepMs = host.clock.monotonicMs() - startedMs;
    host.journal.step(stage, step, values);
    refuseDivergence(guard, stage, step, values);
    host.state.advance(stage, step + 1);
    if (stop !== undefined) {
      host.journal.warn(`${stage} ended after ${step + 1} of ${numSteps} steps: ${stop}`);
      break;
    }
    if (guard.healthy && host.clock.monotonicMs() - savedMs >= host.saveEveryMs) {
      await saveWithJournal(host);
      savedMs = host.clock.monotonicMs();
    }
    await host.giveWay?.(stepMs, host.signal);
  }
  host.journal.progress(stage, numSteps, numSteps);
  await flushIfPossible(host);
}

/**
 * The journal first: a run that goes on from the save never tells of the steps before it again. A save that fails (a full
 * disk) leaves the one before; training goes on and tries again, for the end of the stage may find room.
 */
async function saveWithJournal(host: StageHost): Promise<void> {
  await flushIfPossible(host);
  await host.state
    .save()
    .catch((error: unknown) =>
      host.journal.warn(`The state could not be saved, the last one stays: ${messageOf(error)}`),
    );
}

/** A database that is away keeps nobody from training: what was not written is kept for the next flush. */
async function flushIfPossible({ journal }: StageHost): Promise<void> {
  await journal.flush().catch(() => undefined);
}

function refuseDivergence(
  guard: DivergenceGuard,
  stage: string,
  step: number,
  values: Readonly<Record<string, number>>,
): void {
  const verdict = guard.judge({ loss: values['loss'] ?? 0, gradNorm: values['grad_norm'] ?? 0 });
  if (verdict === null) return;
  throw new DivergedError(
    `Training diverged in stage ${stage} at step ${step}: ${verdict}; lower its learning rate and start a new job`,
  );
}
