import type { DocumentView, ListBody, PassageView } from '@attune/contracts';
import { InvalidRequestError, type Config } from '@attune/platform';
import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CurrentCaller, Roles, type Caller } from '../auth/caller.js';
import { queryNumber } from '../core/list.js';
import { readMultipart } from '../core/multipart.js';
import { CONFIG } from '../core/tokens.js';
import { DocumentsService } from './documents.service.js';

/** Everybody may see what answers stand on; admins decide what that is. */
@Controller('api/documents')
export class DocumentsController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly documents: DocumentsService,
  ) {}

  @Post()
  @Roles('admin')
  async upload(@CurrentCaller() caller: Caller, @Req() request: FastifyRequest): Promise<DocumentView> {
    return this.documents.add(caller, await readMultipart(request, 'file', this.config.http.uploadLimitBytes));
  }

  @Get()
  list(@Query('limit') limitText?: string, @Query('after') after?: string): Promise<ListBody<DocumentView>> {
    return this.documents.list(queryNumber('limit', limitText, { default: 50, min: 1, max: 200 }), after);
  }

  @Get('search')
  search(@Query('q') question?: string, @Query('limit') limitText?: string): Promise<ListBody<PassageView>> {
    if (!question?.trim()) {
      throw new InvalidRequestError('`q` is missing; put what to search for into it.', { param: 'q' });
    }
    return this.documents.search(question, queryNumber('limit', limitText, { default: 10, min: 1, max: 50 }));
  }

  @Get(':id')
  get(@Param('id') id: string): Promise<DocumentView> {
    return this.documents.get(id);
  }

  @Delete(':id')
  @Roles('admin')
  @HttpCode(204)
  remove(@Param('id') id: string): Promise<void> {
    return this.documents.remove(id);
  }
}
