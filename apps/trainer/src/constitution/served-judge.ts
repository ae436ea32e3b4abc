import type { ChatMessage } from '@attune/contracts';
import { answerAll } from '../evaluation/answers.js';
import { answerSequence, promptIds } from '../model/answer-sequence.js';
import type { BaseModel } from '../model/base-model.js';
import { type FixedWeights, scorerOf } from '../model/policy.js';
import { answerLogProbs } from '../model/scoring.js';
import type { Served } from '../model/served.js';
import { microBatches } from '../recipes/micro-batches.js';
import type { Judge } from './judge.js';

/** Least tokens an answer needs behind its question. */
const ROOM = 8;

/**
 * The model judges itself: with the weights a job starts from, and no server in between. A conversation too long for it
 * gets no answer and no opinion.
 */
export class ServedJudge implements Judge {
  constructor(
    private readonly model: BaseModel,
    private readonly served: Pick<Served, 'engine' | 'adapter'>,
    private readonly weights: FixedWeights,
    private readonly signal: AbortSignal,
  ) {}

  async answer(conversations: readonly (readonly ChatMessage[])[], seed: number): Promise<string[]> {
    const options = { model: this.model, ...this.served, temperature: 1, seed, signal: this.signal };
    const fits = await this.whichFit(conversations);
    const answers = await answerAll(
      conversations.filter((_, i) => fits[i]),
      options,
    );
    const texts = answers.map(({ text }) => text).values();
    return fits.map((fit) => (fit ? texts.next().value! : ''));
  }

  async letterLogProbs(
    conversations: readonly (readonly ChatMessage[])[],
    letters: readonly string[],
  ): Promise<number[][]> {
    const scorer = scorerOf(this.model, this.weights);
    try {
      const fits = await this.whichFit(conversations);
      const sequences = conversations
        .filter((_, i) => fits[i])
        .flatMap((messages) => letters.map((letter) => answerSequence(this.model.tokenizer, messages, letter)));
      const sums = (await answerLogProbs(scorer, sequences)).map((logProbs) => logProbs.reduce((a, b) => a + b, 0));
      const opinions = microBatches(sums, letters.length).values();
      return fits.map((fit) => (fit ? opinions.next().value! : letters.map(() => 0)));
    } finally {
      await scorer.release();
    }
  }

  private async whichFit(conversations: readonly (readonly ChatMessage[])[]): Promise<boolean[]> {
    const { limits } = await this.served.engine.stats();
    return conversations.map((messages) => promptIds(this.model.tokenizer, messages).length + ROOM <= limits.maxSeq);
  }
}
