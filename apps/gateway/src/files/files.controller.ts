import {
  listFilesQuery,
  type FileDeleted,
  type FileObject,
  type CursorPage,
  type ListFilesQuery,
} from '@attune/contracts';
import { FileRepository } from '@attune/persistence';
import type { Config } from '@attune/platform';
import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Req, StreamableFile } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { fileForm } from '../core/multipart.js';
import { CONFIG } from '../core/tokens.js';
import { Validated } from '../core/validate.js';
import { FilesService } from './files.service.js';

/** https://platform.openai.com/docs/api-reference/files */
@Controller('v1/files')
export class FilesController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly files: FilesService,
    private readonly stored: FileRepository,
  ) {}

  @Post()
  @HttpCode(200)
  create(@CurrentCaller() caller: Caller, @Req() request: FastifyRequest): Promise<FileObject> {
    return this.files.add(caller, fileForm(request, 'file', this.config.http.uploadLimitBytes));
  }

  @Get()
  list(
    @CurrentCaller() caller: Caller,
    @Query(new Validated(listFilesQuery)) query: ListFilesQuery,
  ): Promise<CursorPage<FileObject>> {
    return this.files.list(caller, query);
  }

  @Get(':id')
  get(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<FileObject> {
    return this.files.get(caller, id);
  }

  @Get(':id/content')
  async content(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<StreamableFile> {
    const file = await this.stored.get(id, caller.userId);
    const pieces = Readable.from(this.stored.content(id, caller.userId), { objectMode: false, highWaterMark: 1 << 20 });
    const disposition = `attachment; filename*=UTF-8''${encodeURIComponent(file.filename)}`;
    return new StreamableFile(pieces, { type: 'application/octet-stream', length: file.bytes, disposition });
  }

  @Delete(':id')
  remove(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<FileDeleted> {
    return this.files.remove(caller, id);
  }
}
