import type { GateCheck, GateReport, TuningJobConfig } from '@attune/contracts';

/** What was measured of a candidate and, where it makes sense, of the live model. Null = could not be measured. */
export interface GateMeasures {
  /** Nats a token on held-out demonstrations. */
  readonly heldoutLoss: { readonly candidate: number; readonly live: number } | null;
  /** Share of held-out prompts where the reward model prefers the candidate's answer; ties count half. */
  readonly winRate: { readonly value: number; readonly numPrompts: number } | null;
  /** Exact match over the task suite. */
  readonly suite: { readonly candidate: number; readonly live: number };
  readonly suiteByFamily: GateReport['suite'];
  /** Nats an answer, candidate from live, on held-out prompts. */
  readonly kl: number | null;
  readonly samples: GateReport['samples'];
}

/**
 * Whether a candidate may answer people. Every check gives its reason; one that fails stops the candidate. Evidence that
 * it is better is asked of those that go live by themselves (`auto`): one that is never promoted so answers only those
 * who name it, and a file of preferences or graded rows holds nothing out to measure it on.
 */
export function decideGate(
  measures: GateMeasures,
  { gate: bounds, promotion }: Pick<TuningJobConfig, 'gate' | 'promotion'>,
): GateReport {
  const checks = [
    ...(promotion === 'auto' ? [evidence(measures)] : []),
    ...(measures.heldoutLoss ? [heldoutLoss(measures.heldoutLoss, bounds.max_heldout_loss_rise)] : []),
    ...(measures.winRate ? [winRate(measures.winRate, bounds.min_win_rate)] : []),
    suite(measures.suite, bounds.max_suite_drop),
    ...(measures.kl === null ? [] : [kl(measures.kl, bounds.max_kl)]),
  ];
  return {
    passed: checks.every(({ passed }) => passed),
    checks,
    suite: measures.suiteByFamily,
    samples: measures.samples,
  };
}

/** A candidate nobody could compare with the live model is not better than it. */
function evidence({ heldoutLoss: loss, winRate: wins }: GateMeasures): GateCheck {
  const numMeasures = Number(loss !== null) + Number(wins !== null);
  return {
    name: 'evidence',
    passed: numMeasures > 0,
    candidate: numMeasures,
    live: null,
    bound: '≥ 1',
    reason:
      numMeasures > 0
        ? `${numMeasures} of 2 measures on held-out conversations could be taken`
        : 'no held-out demonstration and no reward model that can be trusted; gather feedback in more conversations',
  };
}

function heldoutLoss({ candidate, live }: { candidate: number; live: number }, maxRise: number): GateCheck {
  const bound = live + maxRise;
  const passed = candidate <= bound;
  const verb = candidate <= live ? 'fell' : 'rose';
  return {
    name: 'heldout_loss',
    passed,
    candidate,
    live,
    bound: `≤ ${bound.toFixed(3)}`,
    reason: `loss on held-out demonstrations ${verb} from ${live.toFixed(3)} to ${candidate.toFixed(3)} nats a token`,
  };
}

function winRate({ value, numPrompts }: { value: number; numPrompts: number }, minimum: number): GateCheck {
  return {
    name: 'win_rate',
    passed: value >= minimum,
    candidate: value,
    live: 1 - value,
    bound: `≥ ${minimum.toFixed(2)}`,
    reason: `the reward model prefers the candidate on ${percent(value)} of ${numPrompts} held-out prompts`,
  };
}

function suite({ candidate, live }: { candidate: number; live: number }, maxDrop: number): GateCheck {
  const bound = live - maxDrop;
  return {
    name: 'task_suite',
    // Both are ratios of small integers: a drop of exactly the bound must pass whatever the last bit says.
    passed: candidate >= bound - 1e-9,
    candidate,
    live,
    bound: `≥ ${bound.toFixed(3)}`,
    reason: `exact match on the task suite is ${percent(candidate)}, the live model’s ${percent(live)}`,
  };
}

function kl(value: number, maximum: number): GateCheck {
  return {
    name: 'kl',
    passed: value <= maximum,
    candidate: value,
    live: null,
    bound: `≤ ${maximum.toFixed(1)}`,
    reason: `answers to held-out prompts are ${value.toFixed(1)} nats away from the live model`,
  };
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
