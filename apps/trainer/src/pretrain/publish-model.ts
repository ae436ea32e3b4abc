import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeModelFolder } from '@attune/checkpoint';
import type { Measurement } from './measure.js';
import { modelCard } from './model-card.js';
import type { Pretraining } from './pretraining.js';
import { modelConfigJson } from './recipe.js';
import { exampleAt, toConversation, trainFamilies } from '@attune/tasks';

const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'];

/** Writes the model in Hugging Face layout, with a manifest of how it came to be and a card for people. */
export async function publishModel(
  folder: string,
  run: Pretraining,
  tokenizerFolder: string,
  scores: Measurement,
): Promise<void> {
  const manifest = {
    recipe: run.recipe,
    stepsDone: run.step,
    tokens: run.tokens,
    parameters: [...run.parameters.values()].reduce((sum, { data }) => sum + data.length, 0),
    dataSha256: dataDigest(run.recipe.seed),
    scores,
  };
  const tokenizer = await Promise.all(
    TOKENIZER_FILES.map(async (name) => [name, await readFile(path.join(tokenizerFolder, name), 'utf8')] as const),
  );
  await writeModelFolder(folder, {
    config: modelConfigJson(run.recipe),
    tensors: run.parameters,
    dtype: 'F16',
    files: {
      ...Object.fromEntries(tokenizer),
      'manifest.json': `${JSON.stringify(manifest, null, 2)}\n`,
      'README.md': modelCard(manifest),
    },
  });
}

/** Names the generator's output: a changed template or word list changes it. */
export function dataDigest(seed: number): string {
  const hash = createHash('sha256');
  for (let index = 0; index < 20_000; index++)
    hash.update(JSON.stringify(toConversation(exampleAt(seed, index, trainFamilies))));
  return hash.digest('hex');
}
