import path from 'node:path';
import { InvalidRequestError } from '@attune/platform';
import { readVocabulary, type Vocabulary } from '@attune/structured';
import type { EngineOptions } from './engine-options.js';

/** The texts of the model's tokens; read once, when somebody first needs them. */
export function vocabularySource(options: Pick<EngineOptions, 'model' | 'vocabulary'>): () => Promise<Vocabulary> {
  let vocabulary: Promise<Vocabulary> | undefined;
  return () => (vocabulary ??= findVocabulary(options));
}

async function findVocabulary({ model, vocabulary }: Pick<EngineOptions, 'model' | 'vocabulary'>): Promise<Vocabulary> {
  if (vocabulary) return vocabulary;
  if (typeof model === 'string') return readVocabulary(path.join(model, 'tokenizer.json'));
  throw new InvalidRequestError('constrained answers need the vocabulary of the model; load the engine with it');
}
