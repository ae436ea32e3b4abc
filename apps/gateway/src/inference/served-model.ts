import { weightsDigest } from '@attune/checkpoint';
import { NotFoundError } from '@attune/platform';
import type { Tokenizer } from '@attune/tokenizer';
import { parseModelName } from './model-name.js';

export interface ServedModelFacts {
  /** As clients name it: the model folder's own name. */
  id: string;
  tokenizer: Tokenizer;
  /** Tokens of prompt and answer together. */
  context: number;
  /** Digest of the base weights. */
  baseDigest: string;
  /** Where the base model lies, in Hugging Face layout. */
  folder: string;
  /** Unix seconds since when it is served. */
  created: number;
}

/** The model this gateway answers with. */
export class ServedModel {
  readonly id: string;
  readonly tokenizer: Tokenizer;
  readonly context: number;
  readonly baseDigest: string;
  readonly folder: string;
  readonly created: number;
  /** Characters of the longest token: no text is fewer tokens than its length divided by this. */
  readonly longestToken: number;

  constructor(facts: ServedModelFacts) {
    this.id = facts.id;
    this.tokenizer = facts.tokenizer;
    this.context = facts.context;
    this.baseDigest = facts.baseDigest;
    this.folder = facts.folder;
    this.created = facts.created;
    this.longestToken = longestTokenOf(facts.tokenizer);
  }

  /** `system_fingerprint` of answers without any adapter. */
  get baseFingerprint(): string {
    return weightsDigest(this.baseDigest, null);
  }

  /**
   * Whether a request's `model` can be a name of this model or of a checkpoint of it (which one there are, only
   * `ServedWeights` knows).
   * @throws NotFoundError with code `model_not_found`, naming the model there is
   */
  expect(name: string): void {
    if (parseModelName(name, this.id).kind === 'unknown') throw this.notFound(name);
  }

  notFound(name: string): NotFoundError {
    return new NotFoundError(`There is no model \`${name}\` here; ask for \`${this.id}\`.`, {
      param: 'model',
      code: 'model_not_found',
    });
  }
}

function longestTokenOf(tokenizer: Tokenizer): number {
  let longest = 1;
  for (let id = 0; id < tokenizer.vocabSize; id++) longest = Math.max(longest, tokenizer.tokenOf(id)?.length ?? 0);
  return longest;
}
