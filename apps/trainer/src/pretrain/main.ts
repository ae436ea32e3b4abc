import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createRandom } from '@attune/platform';
import { families, heldoutFamilies, trainFamilies } from '@attune/tasks';
import { publishModel } from './publish-model.js';
import { Pretraining } from './pretraining.js';
import { recipe as standardRecipe, type PretrainRecipe } from './recipe.js';
import { Speed } from './speed.js';
import { prepareTokenizer } from './train-tokenizer.js';

/**
 * `npm run pretrain`: trains the bundled model from scratch and writes it to models/attune-mini. Stop it with Ctrl-C or
 * kill it: the next call goes on from the last saved state in the work folder.
 */
const usage = `npm run pretrain -- [options]
  --out DIR        folder of the finished model          (models/attune-mini)
  --work DIR       folder of the resumable state         (.pretrain)
  --steps N        optimizer steps                       (${standardRecipe.steps})
  --families N     train on N of the families only       (all)
  --set K=V        another value of the recipe, e.g. learningRate=0.002 or model.numLayers=4; repeatable
  --threads N      threads                               (2)
  --snapshot       write the weights so far to --out and stop
`;

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'models/attune-mini' },
    work: { type: 'string', default: '.pretrain' },
    steps: { type: 'string' },
    families: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
    threads: { type: 'string', default: '2' },
    'save-every': { type: 'string', default: '200' },
    'measure-every': { type: 'string', default: '300' },
    snapshot: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(usage);
else await main();

async function main(): Promise<void> {
  const recipe = changed(standardRecipe, [...values.set, ...(values.steps ? [`steps=${values.steps}`] : [])]);
  const trained = values.families ? someFamilies(Number(values.families), recipe.seed) : trainFamilies;
  await mkdir(values.work, { recursive: true });
  say(`work ${values.work}: preparing the tokenizer (${recipe.vocabSize} tokens)`);
  const tokenizer = await prepareTokenizer(path.join(values.work, 'tokenizer'), recipe, trainFamilies);
  const run = await Pretraining.open(recipe, tokenizer, trained, {
    stateFolder: path.join(values.work, 'state'),
    threads: Number(values.threads),
  });
  const numParameters = [...run.parameters.values()].reduce((sum, { data }) => sum + data.length, 0);
  say(`${(numParameters / 1e6).toFixed(2)} M parameters, ${trained.length} families, step ${run.step}/${recipe.steps}`);
  if (!values.snapshot) await train(run);
  const scores = await run.measure(families, 100);
  await publishModel(values.out, run, path.join(values.work, 'tokenizer'), scores);
  say(`wrote ${values.out}: seen ${percent(scores.seen)}, held out ${percent(scores.heldout)}`);
  process.exit(0);
}

async function train(run: Pretraining): Promise<void> {
  let stopping = false;
  process.once('SIGINT', () => (stopping = true));
  process.once('SIGTERM', () => (stopping = true));
  const speed = new Speed();
  let loss = 0;
  while (!run.finished) {
    const step = await run.next();
    if (!step.applied) throw new Error(`the loss is not finite at step ${run.step}; lower learningRate and go on`);
    loss = loss === 0 ? step.loss : 0.98 * loss + 0.02 * step.loss;
    speed.add(step.numTokens);
    if (run.step % 20 === 0) {
      const left = ((run.recipe.steps - run.step) * speed.secondsPerStep()) / 60;
      say(
        `step ${run.step}/${run.recipe.steps} loss ${loss.toFixed(4)} gradNorm ${step.gradNorm.toFixed(2)} ` +
          `lr ${step.learningRate.toExponential(2)} tok/s ${speed.tokensPerSecond().toFixed(0)} eta ${left.toFixed(0)} min`,
      );
    }
    if (run.step % Number(values['save-every']) === 0 || stopping) await run.save();
    if (run.step % Number(values['measure-every']) === 0) await report(run, loss);
    if (stopping) {
      say(`stopped at step ${run.step}; the same command goes on from here`);
      process.exit(0);
    }
  }
  await run.save();
}

async function report(run: Pretraining, loss: number): Promise<void> {
  const scores = await run.measure([...trainFamilies, ...heldoutFamilies], 20);
  const worst = scores.families
    .filter(({ split }) => split === 'train')
    .sort((a, b) => a.exactMatch - b.exactMatch)
    .slice(0, 12)
    .map(({ family, exactMatch }) => `${family} ${percent(exactMatch)}`)
    .join(', ');
  say(`measured: seen ${percent(scores.seen)}, held out ${percent(scores.heldout)}; weakest: ${worst}`);
  const line = JSON.stringify({ step: run.step, tokens: run.tokens, loss, ...scores });
  await appendFile(path.join(values.work, 'measurements.jsonl'), `${line}\n`);
}

/** N families of all kinds, the same for the same seed; more of them always hold the fewer. */
function someFamilies(count: number, seed: number) {
  return createRandom(seed).shuffle(trainFamilies).slice(0, count);
}

/** The recipe with `path=value` changes, e.g. `model.numLayers=4`. */
function changed(base: PretrainRecipe, changes: readonly string[]): PretrainRecipe {
  const copy = structuredClone(base) as unknown as Record<string, unknown>;
  for (const change of changes) {
    const [name, value] = change.split('=');
    const steps = name.split('.');
    const owner = steps.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, copy);
    if (typeof owner?.[steps.at(-1)!] !== 'number' || !Number.isFinite(Number(value)))
      throw new Error(`--set ${change}: the recipe has no number "${name}"; see apps/trainer/src/pretrain/recipe.ts`);
    owner[steps.at(-1)!] = Number(value);
  }
  return copy as unknown as PretrainRecipe;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function say(line: string): void {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}
