import type { TokenEngine } from '@attune/engine';
import { Inject, Injectable } from '@nestjs/common';
import { ENGINE } from '../core/tokens.js';
import { ServedModel } from '../inference/served-model.js';

/** Texts as vectors of length 1, as /v1/embeddings makes them: by the base model, whatever is live. */
@Injectable()
export class TextVectors {
  constructor(
    @Inject(ENGINE) private readonly engine: TokenEngine,
    private readonly model: ServedModel,
  ) {}

  /** Digest of the weights that make the vectors; those of others are not to be compared with them. */
  get madeBy(): string {
    return this.model.baseDigest;
  }

  numTokens(text: string): number {
    return this.model.tokenizer.encode(text).length;
  }

  /** Of a text that is longer than the model reads, the mean of its pieces, each counting by its length. */
  async of(texts: readonly string[]): Promise<Float32Array[]> {
    const pieces = texts.map((text) => cut(this.model.tokenizer.encode(text), this.model.context));
    const vectors = await this.engine.embed(pieces.flat());
    let next = 0;
    return pieces.map((parts) => {
      const own = vectors.slice(next, (next += parts.length));
      return own.length === 1
        ? Float32Array.from(own[0])
        : weightedMean(
            own,
            parts.map(({ length }) => length),
          );
    });
  }
}

function cut(tokens: number[], most: number): number[][] {
  const parts: number[][] = [];
  for (let start = 0; start < tokens.length; start += most) parts.push(tokens.slice(start, start + most));
  return parts;
}

function weightedMean(vectors: readonly number[][], weights: readonly number[]): Float32Array {
  const sum = new Float32Array(vectors[0]?.length ?? 0);
  vectors.forEach((vector, i) => vector.forEach((value, at) => (sum[at] += value * weights[i])));
  const length = Math.hypot(...sum);
  return length === 0 ? sum : sum.map((value) => value / length);
}
