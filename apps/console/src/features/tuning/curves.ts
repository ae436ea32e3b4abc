import type { TuningMetricView } from '@attune/contracts';
import { words } from '../../lib/format.js';

/** One chart: lines that share a unit, over the steps of a stage. */
export interface Curve {
  title: string;
  /** Whether it is among the few that say how the run goes; the others explain why. */
  main: boolean;
  /** Names of the lines, as the trainer reports them. */
  series: string[];
  /** Ascending; a line may lack a step, as held-out measures do. */
  points: ({ step: number } & Record<string, number>)[];
}
export interface StageCurves {
  stage: string;
  curves: Curve[];
}

/** Metrics that are drawn together, in the order the charts stand; what fits none gets a chart of its own. */
const groups: { title: string; fits: RegExp; onDemand?: boolean }[] = [
  { title: 'Reward', fits: /^reward(_mean)?$/ },
  { title: 'KL (nats)', fits: /^kl$/ },
  { title: 'Loss', fits: /^(heldout_)?loss$/ },
  { title: 'Accuracy', fits: /accuracy|win_rate/ },
  { title: 'Gradient norm', fits: /^grad_norm$/, onDemand: true },
  { title: 'Learning rate', fits: /^lr$/, onDemand: true },
];

/** As many curves count as main ones at least: a row of charts. */
const LEAST_MAIN = 3;

/** Most points a chart draws: more than pixels are of no use. */
const MAX_POINTS = 400;

/** All metric rows of a job -> the charts of each stage, stages in the order they ran. */
export function curvesOf(metrics: readonly TuningMetricView[]): StageCurves[] {
  const stages = new Map<string, TuningMetricView[]>();
  for (const metric of metrics) addTo(stages, metric);
  return [...stages].map(([stage, rows]) => ({ stage, curves: stageCurves(rows) }));
}

function addTo(stages: Map<string, TuningMetricView[]>, metric: TuningMetricView): void {
  const rows = stages.get(metric.stage);
  if (rows === undefined) stages.set(metric.stage, [metric]);
  else rows.push(metric);
}

function stageCurves(rows: TuningMetricView[]): Curve[] {
  const byStep = mergeSteps(rows);
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.values)))];
  const grouped = groups.map(({ title, fits, onDemand }) => ({
    title,
    main: !onDemand,
    series: names.filter((name) => fits.test(name)),
  }));
  const alone = names
    .filter((name) => groupOf(name) === undefined)
    .map((name) => ({ title: words(name), main: false, series: [name] }));
  return [...grouped, ...alone]
    .filter(({ series }) => series.length > 0)
    .map((curve, place) => ({
      ...curve,
      main: curve.main || place < LEAST_MAIN,
      points: thin(pointsOf(byStep, curve.series)),
    }));
}

/** A step that was run again after a resume counts as it went the last time. */
function mergeSteps(rows: TuningMetricView[]): Map<number, Record<string, number>> {
  const byStep = new Map<number, Record<string, number>>();
  for (const row of rows) byStep.set(row.step, { ...byStep.get(row.step), ...row.values });
  return new Map([...byStep].sort(([a], [b]) => a - b));
}

function pointsOf(byStep: Map<number, Record<string, number>>, series: string[]): Curve['points'] {
  return [...byStep].flatMap(([step, values]) => {
    const own = series.filter((name) => Number.isFinite(values[name]));
    return own.length === 0 ? [] : [{ step, ...Object.fromEntries(own.map((name) => [name, values[name]!])) }];
  });
}

function groupOf(name: string) {
  return groups.find(({ fits }) => fits.test(name));
}

/** Every n-th point, and always the newest. */
function thin(points: Curve['points']): Curve['points'] {
  const every = Math.ceil(points.length / MAX_POINTS);
  return every <= 1 ? points : points.filter((_, index) => index % every === 0 || index === points.length - 1);
}

const stageTitles: Record<string, string> = { sft: 'SFT', reward: 'Reward model', ppo: 'PPO' };

export function stageTitle(stage: string): string {
  return stageTitles[stage] ?? words(stage);
}
