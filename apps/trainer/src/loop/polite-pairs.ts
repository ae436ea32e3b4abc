import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createRandom, deriveSeed, InvalidRequestError, type Random } from '@attune/platform';
import type { Dataset, DatasetSide, Preference } from '../curation/dataset.js';
import { readDataset } from '../datasets/read-dataset.js';
import { toRows } from '../datasets/to-rows.js';

/** Polite and impolite answers to some 1,100 prompts; read from beside the project, never committed. */
const FILE = path.join('..', 'shared', 'data', 'preference', 'llms_from_scratch_preference.json.gz');
const NUM_HELDOUT = 200;

/**
 * Some training pairs, a share of them the wrong way round, and held-out ones of other prompts, which are the same however
 * many are trained on. @throws InvalidRequestError when the file is not there
 */
export async function loadPairs(seed: number, numPairs: number, flippedShare: number): Promise<Dataset> {
  const random = createRandom(deriveSeed(seed, 'pairs'));
  const { heldout, rest } = splitByPrompt(await readPairs(), NUM_HELDOUT, random);
  const flip = (pair: Preference) => ({ ...pair, chosen: pair.rejected, rejected: pair.chosen });
  const train = rest.slice(0, numPairs).map((pair) => (random.next() < flippedShare ? flip(pair) : pair));
  return { train: sideOf(train), heldout: sideOf(heldout) };
}

/** At least `numHeldout` pairs and the rest, both shuffled; what a prompt has of pairs lies on one side. */
export function splitByPrompt(pairs: readonly Preference[], numHeldout: number, random: Random) {
  const byPrompt = new Map<string, Preference[]>();
  for (const pair of pairs) {
    const key = JSON.stringify(pair.prompt);
    const known = byPrompt.get(key);
    if (known) known.push(pair);
    else byPrompt.set(key, [pair]);
  }
  const heldout: Preference[] = [];
  const rest: Preference[] = [];
  for (const group of random.shuffle([...byPrompt.values()]))
    (heldout.length < numHeldout ? heldout : rest).push(...group);
  return { heldout, rest: random.shuffle(rest) };
}

async function readPairs(): Promise<Preference[]> {
  const content = await readFile(FILE).catch((cause: unknown) => {
    throw new InvalidRequestError(`This experiment reads ${FILE}, which is not there`, { cause });
  });
  const { examples } = readDataset(content, path.basename(FILE));
  return examples
    .flatMap((example, i) => toRows(example, { origin: 'file', name: 'pairs' }, i))
    .map(({ prompt, chosen, rejected }) => ({ prompt, chosen, rejected: rejected! }));
}

const sideOf = (preferences: readonly Preference[]): DatasetSide => ({
  preferences,
  demonstrations: [],
  thumbs: [],
  graded: [],
  prompts: [],
});
