import type { LoadedModel } from '@attune/engine';
import { createRandom } from '@attune/platform';
import { randomModel, randomPrompt } from './shapes.js';

/**
 * A model of any shape whose next token follows from the last one alone, by a permutation of the vocabulary: attention
 * and feed-forward layers run as always but add nothing, and the head looks for the embedding of the token before. So
 * what an answer quotes of its prompt can be chosen.
 */
export function quotingModel(config: { vocab_size: number; hidden_size: number }, digest: string): LoadedModel {
  const untied = { ...config, tie_word_embeddings: false };
  const model = randomModel(untied, digest);
  const next = successors(config.vocab_size);
  const embedding = model.tensor('model.embed_tokens.weight').data;
  const head = new Float32Array(embedding.length);
  const hidden = config.hidden_size;
  for (let token = 0; token < config.vocab_size; token++)
    head.set(embedding.subarray(token * hidden, (token + 1) * hidden), next[token]! * hidden);
  return {
    ...model,
    tensor: (name) => {
      if (name === 'lm_head.weight') return { data: head };
      const { data } = model.tensor(name);
      return /o_proj|down_proj/.test(name) ? { data: new Float32Array(data.length) } : { data };
    },
  };
}

export interface Quoting {
  /** Tokens of the answer that stand in the prompt one after the other, and new ones between two such runs. */
  readonly run: number;
  readonly gap: number;
}

/** A prompt of `length` tokens that holds, in another order and among other words, most of the next `answer` tokens. */
export function quotingPrompt(seed: number, vocabSize: number, length: number, answer: number, { run, gap }: Quoting) {
  const random = createRandom(seed);
  const next = successors(vocabSize);
  const chain = [300 + random.int(vocabSize - 300)];
  while (chain.length <= answer) chain.push(next[chain.at(-1)!]!);
  const runs: number[][] = [];
  for (let at = 1 + gap; at < chain.length; at += run + gap) runs.push(chain.slice(at, at + run));
  const quoted = random.shuffle(runs).flatMap((words) => [...words, ...randomPrompt(random.int(1e9), 3, vocabSize)]);
  const filler = randomPrompt(seed, Math.max(0, length - 1 - quoted.length), vocabSize);
  return [...filler, ...quoted, chain[0]!];
}

/** The token that follows each token, one great permutation. */
function successors(vocabSize: number): Uint32Array {
  const random = createRandom(99);
  const next = Uint32Array.from({ length: vocabSize }, (_, token) => token);
  // Sattolo's shuffle: a single cycle, so that no answer runs in a circle.
  for (let i = vocabSize - 1; i > 0; i--) {
    const j = random.int(i);
    [next[i], next[j]] = [next[j]!, next[i]!];
  }
  return next;
}
