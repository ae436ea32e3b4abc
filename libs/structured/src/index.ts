export type { OutputStructure } from '@attune/contracts';
export { allows, type Matcher } from './matcher.js';
export {
  type OpenedStructure,
  type StructureCheck,
  StructureCompiler,
  type StructureCompilerOptions,
} from './structure-compiler.js';
export { readVocabulary, type Vocabulary, vocabularyOf } from './vocabulary.js';
