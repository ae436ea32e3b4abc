import { parseArgs } from 'node:util';
import { createLogger, loadConfig, messageOf, systemClock } from '@attune/platform';
import { Journal, type JournalStore } from '../jobs/journal.js';
import { loadBaseModel } from '../model/base-model.js';
import { rehearse, type Rehearsal } from './rehearse.js';
import type { Scenario } from './scenario.js';
import { signOff } from './sign-off.js';

/** `npm run loop -- --scenario <name>`: simulated people teach the model something; prints what became of it. */
const scenarios: Readonly<Record<string, () => Scenario>> = { 'sign-off': signOff };

async function main(chosen: Scenario): Promise<void> {
  const startedMs = systemClock.monotonicMs();
  const model = await loadBaseModel(loadConfig());
  const journal = new Journal(stepsToConsole, { jobId: 'rehearsal', workerId: 'loop' }, systemClock, quiet);
  const printing = setInterval(() => void journal.flush(), 1000);
  const result = await rehearse(chosen, model, journal).finally(() => clearInterval(printing));
  await journal.flush();
  print(chosen, result, (systemClock.monotonicMs() - startedMs) / 1000);
  process.exit();
}

function print(
  chosen: Scenario,
  { before, after, measures, report, rewardAccuracy }: Rehearsal,
  seconds: number,
): void {
  console.log(`\nscenario ${chosen.name}: ${report.passed ? 'passed the gate' : 'stopped by the gate'}`);
  console.table(
    report.checks.map(({ name, passed, candidate, live, bound }) => ({ check: name, passed, candidate, live, bound })),
  );
  console.table(report.samples);
  console.log(
    `shown on ${chosen.unseen.length} unseen prompts: before ${before}, after ${after}; ${seconds.toFixed(0)} s`,
  );
  const { candidate: suite, live: suiteLive } = measures.suite;
  const figures = { before, after, seconds, rewardAccuracy, suite, suiteLive, kl: measures.kl };
  console.log(JSON.stringify({ name: `loop-${chosen.name}`, ratios: { shown: after - before }, figures }));
}

/** Prints the diary instead of storing it. */
const stepsToConsole: JournalStore = {
  appendEvents: async (_, events) => events.forEach(({ level, message }) => console.log(`${level}: ${message}`)),
  appendMetrics: async (_, metrics) =>
    metrics.forEach(({ stage, step, values: numbers }) =>
      console.log(
        `${stage} ${step}: ${Object.entries(numbers)
          .map(([name, value]) => `${name}=${Number(value.toPrecision(4))}`)
          .join(' ')}`,
      ),
    ),
  progress: async () => undefined,
};
const quiet = createLogger('loop', 'silent');

const { values } = parseArgs({ options: { scenario: { type: 'string', default: 'sign-off' } } });
const scenario = scenarios[values.scenario];
if (!scenario) {
  console.error(`There is no scenario \`${values.scenario}\`; there are: ${Object.keys(scenarios).join(', ')}`);
  process.exitCode = 1;
} else {
  await main(scenario()).catch((error: unknown) => {
    console.error(messageOf(error));
    process.exitCode = 1;
  });
}
