import { exampleAt, toConversation, type TaskExample, type TaskFamily } from '@attune/tasks';
import type { Tokenizer } from '@attune/tokenizer';
import { packSequences, type TokenBatch, type WeightedSequence } from '@attune/training';
import type { PretrainRecipe } from './recipe.js';

/** Where a data stream stands: the next example, and earlier ones that did not fit a batch yet. */
export interface DataCursor {
  readonly next: number;
  readonly waiting: readonly number[];
}

export const firstCursor: DataCursor = { next: 0, waiting: [] };

/** The endless example sequence of a seed as packed token batches; its whole state is the cursor. */
export class ExampleBatches {
  constructor(
    private readonly recipe: PretrainRecipe,
    private readonly tokenizer: Tokenizer,
    private readonly families: readonly TaskFamily[],
    private position: DataCursor = firstCursor,
  ) {}

  get cursor(): DataCursor {
    return this.position;
  }

  next(): TokenBatch {
    const { rows, length, seed } = this.recipe;
    const indices = [...this.position.waiting];
    const sequences = indices.map((index) => this.sequenceAt(seed, index));
    let tokens = sequences.reduce((sum, { ids }) => sum + ids.length, 0);
    let next = this.position.next;
    for (; tokens < rows * length; next++) {
      const sequence = this.sequenceAt(seed, next);
      // The rare example longer than a row can never be placed; waiting for room it would crowd out the rest.
      if (sequence.ids.length > length) continue;
      indices.push(next);
      sequences.push(sequence);
      tokens += sequence.ids.length;
    }
    const { batch, left } = packSequences(sequences, rows, length);
    this.position = { next, waiting: indices.filter((_, i) => left.includes(sequences[i])) };
    return batch;
  }

  private sequenceAt(seed: number, index: number): WeightedSequence {
    return weightedSequence(this.tokenizer, exampleAt(seed, index, this.families), this.recipe.promptWeight);
  }
}

/** The tokens of an example with weight 1 on what the assistant says and `promptWeight` on everything else. */
export function weightedSequence(tokenizer: Tokenizer, example: TaskExample, promptWeight: number): WeightedSequence {
  const { ids, mask } = tokenizer.encodeChatWithMask(toConversation(example));
  return { ids, weights: Array.from(mask, (said) => (said ? 1 : promptWeight)) };
}
