import type { EmbeddingList, EmbeddingRequest } from '@attune/contracts';
import type { TokenEngine } from '@attune/engine';
import { UsageRepository } from '@attune/persistence';
import { InvalidRequestError } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import { ConcurrencyLimiter } from '../auth/concurrency-limiter.js';
import type { Caller } from '../auth/caller.js';
import { KeyQuotas } from '../auth/key-quotas.js';
import { ENGINE } from '../core/tokens.js';
import { ServedModel } from '../inference/served-model.js';

/** Texts as vectors, by the base model whatever is live: vectors that were stored stay comparable. */
@Injectable()
export class EmbeddingsService {
  constructor(
    @Inject(ENGINE) private readonly engine: TokenEngine,
    private readonly model: ServedModel,
    private readonly places: ConcurrencyLimiter,
    private readonly quotas: KeyQuotas,
    private readonly usage: UsageRepository,
  ) {}

  /** @throws NotFoundError for another model, InvalidRequestError for a text that is too long or tokens that are none */
  async create(caller: Caller, request: EmbeddingRequest): Promise<EmbeddingList> {
    if (request.model !== this.model.id && request.model !== 'default') throw this.model.notFound(request.model);
    const texts = this.tokensOf(request.input);
    const { maxConcurrent } = await this.quotas.take(caller.keyId);
    const release = this.places.acquire(caller.keyId, maxConcurrent);
    try {
      const vectors = await this.engine.embed(texts);
      const data = vectors.map((vector, index) => ({
        object: 'embedding' as const,
        index,
        embedding: encoded(shortened(vector, request.dimensions ?? vector.length), request.encoding_format ?? 'float'),
      }));
      const numTokens = texts.reduce((sum, tokens) => sum + tokens.length, 0);
      const usage = { prompt_tokens: numTokens, total_tokens: numTokens };
      await this.usage.countEmbedding(caller.keyId, numTokens);
      return { object: 'list', model: this.model.id, system_fingerprint: this.model.baseFingerprint, data, usage };
    } finally {
      release();
    }
  }

  private tokensOf(input: EmbeddingRequest['input']): number[][] {
    const { tokenizer, context } = this.model;
    const texts = typeof input === 'string' ? [input] : typeof input[0] === 'number' ? [input as number[]] : input;
    return (texts as (string | number[])[]).map((text, index) => {
      const tokens = typeof text === 'string' ? tokenizer.encode(text) : text;
      if (tokens.length > context) {
        throw new InvalidRequestError(
          `Text ${index} has ${tokens.length} tokens; \`${this.model.id}\` reads ${context}. Cut it into pieces.`,
          { param: 'input', code: 'context_length_exceeded' },
        );
      }
      const unknown = tokens.find((token) => token >= tokenizer.vocabSize);
      if (unknown === undefined) return tokens;
      throw new InvalidRequestError(`Text ${index} has the token ${unknown}, which the model does not know.`, {
        param: 'input',
      });
    });
  }
}

/** @throws InvalidRequestError for more numbers than there are */
function shortened(vector: number[], dimensions: number): number[] {
  if (dimensions > vector.length) {
    throw new InvalidRequestError(`\`dimensions\` is ${dimensions}; the model’s vectors have ${vector.length}.`, {
      param: 'dimensions',
    });
  }
  if (dimensions === vector.length) return vector;
  const kept = vector.slice(0, dimensions);
  const length = Math.hypot(...kept);
  return length === 0 ? kept : kept.map((value) => value / length);
}

function encoded(vector: number[], format: 'float' | 'base64'): number[] | string {
  if (format === 'float') return vector;
  const bytes = Buffer.alloc(vector.length * 4);
  vector.forEach((value, i) => bytes.writeFloatLE(value, i * 4));
  return bytes.toString('base64');
}
