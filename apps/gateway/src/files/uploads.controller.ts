import {
  completeUploadRequest,
  createUploadRequest,
  type CompleteUploadRequest,
  type CreateUploadRequest,
  type UploadObject,
  type UploadPartObject,
} from '@attune/contracts';
import { UploadRepository } from '@attune/persistence';
import { TooLargeError, type Config } from '@attune/platform';
import { Body, Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { fileForm, safeName } from '../core/multipart.js';
import { CONFIG } from '../core/tokens.js';
import { Validated } from '../core/validate.js';
import { uploadPartView, uploadView } from './file.view.js';

/** https://platform.openai.com/docs/api-reference/uploads */
@Controller('v1/uploads')
export class UploadsController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly uploads: UploadRepository,
  ) {}

  @Post()
  @HttpCode(200)
  async create(
    @CurrentCaller() caller: Caller,
    @Body(new Validated(createUploadRequest)) body: CreateUploadRequest,
  ): Promise<UploadObject> {
    const { fileLimitBytes } = this.config.http;
    if (body.bytes > fileLimitBytes) {
      throw new TooLargeError(`\`bytes\` is ${body.bytes}; FILE_LIMIT_BYTES allows ${fileLimitBytes}.`, {
        param: 'bytes',
      });
    }
    return uploadView(await this.uploads.create(caller.userId, { ...body, filename: safeName(body.filename) }));
  }

  @Post(':id/parts')
  @HttpCode(200)
  async addPart(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Req() request: FastifyRequest,
  ): Promise<UploadPartObject> {
    const form = fileForm(request, 'data', this.config.http.uploadLimitBytes);
    const { taken } = await form(({ chunks }) => this.uploads.addPart(id, caller.userId, chunks));
    return uploadPartView(taken);
  }

  @Post(':id/complete')
  @HttpCode(200)
  async complete(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body(new Validated(completeUploadRequest)) body: CompleteUploadRequest,
  ): Promise<UploadObject> {
    const { upload, file } = await this.uploads.complete(id, caller.userId, body.part_ids, body.md5);
    return uploadView(upload, file);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  async cancel(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<UploadObject> {
    return uploadView(await this.uploads.cancel(id, caller.userId));
  }
}
