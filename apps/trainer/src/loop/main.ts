import { parseArgs } from 'node:util';
import { createLogger, InvalidRequestError, loadConfig, messageOf, systemClock } from '@attune/platform';
import { Journal, type JournalStore } from '../jobs/journal.js';
import { loadBaseModel } from '../model/base-model.js';
import type { Experiment, Row } from './experiment.js';
import { experiments } from './experiments.js';
import { formatSpread, spreadOf } from './spread.js';

/**
 * `npm run loop -- --scenario <name> [--seeds 3] [--first-seed 17] [--variants a,b]`: runs an experiment, prints its
 * steps, a table with mean and spread over the seeds, and as the last line everything as JSON.
 */
interface Options {
  readonly name: string;
  readonly experiment: Experiment;
  readonly variants: readonly string[];
  readonly seeds: readonly number[];
}

async function main({ name, experiment, variants, seeds }: Options): Promise<void> {
  const startedMs = systemClock.monotonicMs();
  const model = await loadBaseModel(loadConfig());
  const journal = new Journal(stepsToConsole, { jobId: 'rehearsal', workerId: 'loop' }, systemClock, quiet);
  const printing = setInterval(() => void journal.flush(), 1000);
  console.log(`expected: ${experiment.expects}`);
  const rows: Row[] = [];
  try {
    for (const seed of seeds)
      for (const variant of variants) {
        const found = [await experiment.run(variant, { model, journal, seed })].flat();
        await journal.flush();
        for (const row of found) console.log(`seed ${seed}, ${row.variant}: ${JSON.stringify(row.figures)}`);
        rows.push(...found);
      }
  } finally {
    clearInterval(printing);
  }
  print(name, rows, seeds, (systemClock.monotonicMs() - startedMs) / 1000);
  process.exit();
}

function print(name: string, rows: readonly Row[], seeds: readonly number[], seconds: number): void {
  const summary = spreadOf(rows);
  const table = summary.map(({ variant, figures }) => [
    variant,
    Object.fromEntries(Object.entries(figures).map(([figure, spread]) => [figure, formatSpread(spread)])),
  ]);
  console.log(`\n${name}, ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}, ${seconds.toFixed(0)} s:`);
  console.table(Object.fromEntries(table));
  const means = summary.map(({ variant, figures }) => [
    variant,
    Object.fromEntries(Object.entries(figures).map(([figure, spread]) => [figure, spread?.mean ?? null])),
  ]);
  console.log(JSON.stringify({ name: `loop-${name}`, seeds, seconds, figures: Object.fromEntries(means) }));
}

/** Prints the diary instead of storing it. */
const stepsToConsole: JournalStore = {
  appendEvents: async (_, events) => events.forEach(({ level, message }) => console.log(`${level}: ${message}`)),
  appendMetrics: async (_, metrics) =>
    metrics.forEach(({ stage, step, values: numbers }) =>
      console.log(
        `${stage} ${step}: ${Object.entries(numbers)
          .map(([figure, value]) => `${figure}=${Number(value.toPrecision(4))}`)
          .join(' ')}`,
      ),
    ),
  progress: async () => undefined,
};
const quiet = createLogger('loop', 'silent');

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', default: 'sign-off' },
      seeds: { type: 'string', default: '1' },
      'first-seed': { type: 'string', default: '17' },
      variants: { type: 'string' },
    },
  });
  const experiment = experiments[values.scenario];
  if (!experiment)
    throw new InvalidRequestError(
      `There is no scenario \`${values.scenario}\`; there are: ${Object.keys(experiments).join(', ')}`,
    );
  const variants = values.variants?.split(',').map((variant) => variant.trim()) ?? experiment.variants;
  const unknown = variants.find((variant) => !experiment.variants.includes(variant));
  if (unknown !== undefined)
    throw new InvalidRequestError(
      `\`${values.scenario}\` has no variant \`${unknown}\`; there are: ${experiment.variants.join(', ')}`,
    );
  const [count, first] = [Number(values.seeds), Number(values['first-seed'])];
  if (!(count >= 1) || !(first >= 0)) throw new InvalidRequestError('--seeds and --first-seed must be whole numbers');
  return { name: values.scenario, experiment, variants, seeds: Array.from({ length: count }, (_, i) => first + i) };
}

try {
  await main(readOptions());
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
