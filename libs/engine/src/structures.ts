import path from 'node:path';
import { InvalidRequestError } from '@attune/platform';
import { readVocabulary, StructureCompiler, type Vocabulary } from '@attune/structured';
import type { EngineOptions } from './engine-options.js';

/** The compiler of structured answers for the model that the options name. Nothing is read before the first structure. */
export function createStructures(options: Pick<EngineOptions, 'model' | 'vocabulary'>, vocabSize: number) {
  return new StructureCompiler({ vocabulary: () => findVocabulary(options), vocabSize });
}

async function findVocabulary({ model, vocabulary }: Pick<EngineOptions, 'model' | 'vocabulary'>): Promise<Vocabulary> {
  if (vocabulary) return vocabulary;
  if (typeof model === 'string') return readVocabulary(path.join(model, 'tokenizer.json'));
  throw new InvalidRequestError('constrained answers need the vocabulary of the model; load the engine with it');
}
