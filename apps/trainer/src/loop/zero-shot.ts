import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { tuningJobConfig } from '@attune/contracts';
import { createRandom, deriveSeed, InvalidRequestError } from '@attune/platform';
import type { Demonstration } from '../curation/dataset.js';
import type { DataExample } from '../datasets/example.js';
import { mixTasks } from '../datasets/mixture.js';
import { readDataset } from '../datasets/read-dataset.js';
import { heldoutLoss } from '../evaluation/heldout-loss.js';
import { countTokens } from '../model/answer-sequence.js';
import type { BaseModel } from '../model/base-model.js';
import { scorerOf, weightsOf } from '../model/policy.js';
import { initialPolicy } from '../recipes/starting-policy.js';
import { trainSft } from '../recipes/sft.recipe.js';
import type { Experiment, Row } from './experiment.js';
import { memoryContext } from './memory-context.js';

/** Prompted benchmarks of many data sets; read from beside the project, never committed. */
const FILE = path.join('..', 'shared', 'data', 'instruction', 'p3_t0_subset.jsonl.gz');
/** Of seven that have short rows enough. */
const NUM_HELDOUT_SETS = 2;
const ROWS_OF_HELDOUT_SET = 60;
const CAP_PER_TASK = 60;
const MAX_TOKENS = 128;

const config = tuningJobConfig.parse({
  stages: ['sft'],
  form: 'full',
  sft: { epochs: 1000, max_steps: 80, learning_rate: 7e-4, batch_size: 8, replay_share: 0 },
});

/** The FLAN claim (Wei et al. 2021, figure 6) on P3: what is learnt from more data sets carries further to unseen ones. */
export const zeroShot: Experiment = {
  expects: 'At the same number of steps, the loss on unseen data sets falls as the number of trained ones grows.',
  variants: ['untrained', '1 data set', '3 data sets', 'all data sets'],
  async run(variant, host): Promise<Row> {
    // The same for every variant and seed.
    loaded ??= loadSets(host.model);
    const sets = await loaded;
    const names = createRandom(deriveSeed(host.seed, 'sets')).shuffle([...sets.keys()].sort());
    const [heldout, trained] = [names.slice(0, NUM_HELDOUT_SETS), names.slice(NUM_HELDOUT_SETS)];
    const count =
      variant === 'untrained' ? 0 : variant.startsWith('all') ? trained.length : Number.parseInt(variant, 10);
    const chosen = trained.slice(0, count);
    const policy = initialPolicy(host.model, { ...config, seed: host.seed });
    const rows = chosen.flatMap((name) => sets.get(name)!);
    if (count > 0)
      await trainSft(await memoryContext(host, { ...config, seed: host.seed }), policy, mixed(rows, host.seed));
    const unseen = heldout.flatMap((name) => sets.get(name)!.slice(0, ROWS_OF_HELDOUT_SET).map(toDemonstration));
    const scorer = scorerOf(host.model, weightsOf(policy));
    const loss = await heldoutLoss(unseen, scorer, host.model).finally(() => scorer.release());
    return { variant, figures: { unseen_loss: loss, num_sets: count, num_rows: rows.length } };
  },
};

let loaded: Promise<Map<string, Conversation[]>> | null = null;

type Conversation = Extract<DataExample, { kind: 'conversation' }>;

/** Rows that are short enough, by data set. */
async function loadSets(model: BaseModel): Promise<Map<string, Conversation[]>> {
  const content = await readFile(FILE).catch((cause: unknown) => {
    throw new InvalidRequestError(`This experiment reads ${FILE}, which is not there`, { cause });
  });
  const sets = new Map<string, Conversation[]>();
  for (const example of readDataset(content, path.basename(FILE)).examples as Conversation[]) {
    if (countTokens(model.tokenizer, example.messages) > MAX_TOKENS) continue;
    const name = example.task!.split('/')[0]!;
    const known = sets.get(name);
    if (known) known.push(example);
    else sets.set(name, [example]);
  }
  return new Map([...sets].filter(([, rows]) => rows.length >= ROWS_OF_HELDOUT_SET));
}

function mixed(rows: readonly Conversation[], seed: number): Demonstration[] {
  const rules = { capPerTask: CAP_PER_TASK, temperature: 1, maxRows: 0, seed };
  return mixTasks(rows, ({ task }) => task!, rules).map(toDemonstration);
}

const toDemonstration = ({ messages }: Conversation): Demonstration => ({
  prompt: messages.slice(0, -1),
  answer: messages.at(-1)!.content,
});
