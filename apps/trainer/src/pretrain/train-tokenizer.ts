import { access } from 'node:fs/promises';
import path from 'node:path';
import { exampleAt, toConversation, type TaskFamily } from '@attune/tasks';
import {
  attuneChatTemplate,
  attuneSpecialTokens,
  attuneTokenRoles,
  Tokenizer,
  trainBpe,
  writeTokenizerFolder,
} from '@attune/tokenizer';
import type { PretrainRecipe } from './recipe.js';

/** The tokenizer of the recipe: read from `folder`, or trained on the generator's examples and written there. */
export async function prepareTokenizer(
  folder: string,
  recipe: PretrainRecipe,
  families: readonly TaskFamily[],
): Promise<Tokenizer> {
  const exists = await access(path.join(folder, 'tokenizer.json')).then(
    () => true,
    () => false,
  );
  if (!exists) {
    const trained = trainBpe(texts(recipe, families), {
      vocabSize: recipe.vocabSize,
      specialTokens: attuneSpecialTokens,
    });
    await writeTokenizerFolder(folder, trained, {
      roles: attuneTokenRoles,
      chatTemplate: attuneChatTemplate,
      maxLength: recipe.model.maxPositions,
    });
  }
  return Tokenizer.fromFolder(folder);
}

function* texts(recipe: PretrainRecipe, families: readonly TaskFamily[]): Generator<string> {
  for (let index = 0; index < recipe.tokenizerExamples; index++) {
    for (const message of toConversation(exampleAt(recipe.seed, index, families))) yield message.content;
  }
}
