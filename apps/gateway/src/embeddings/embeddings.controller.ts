import { embeddingRequest, type EmbeddingList, type EmbeddingRequest } from '@attune/contracts';
import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { Validated } from '../core/validate.js';
import { EmbeddingsService } from './embeddings.service.js';

/** https://platform.openai.com/docs/api-reference/embeddings */
@Controller('v1/embeddings')
export class EmbeddingsController {
  constructor(private readonly embeddings: EmbeddingsService) {}

  @Post()
  @HttpCode(200)
  create(
    @CurrentCaller() caller: Caller,
    @Body(new Validated(embeddingRequest)) body: EmbeddingRequest,
  ): Promise<EmbeddingList> {
    return this.embeddings.create(caller, body);
  }
}
