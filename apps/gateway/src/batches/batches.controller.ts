import {
  createBatchRequest,
  listBatchesQuery,
  type BatchObject,
  type CreateBatchRequest,
  type CursorPage,
  type PageQuery,
} from '@attune/contracts';
import { BatchRepository, FileRepository } from '@attune/persistence';
import { InvalidRequestError, NotFoundError, type Config } from '@attune/platform';
import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { cursorPage } from '../core/list.js';
import { CONFIG } from '../core/tokens.js';
import { Validated } from '../core/validate.js';
import { IdempotentRequests } from '../openai/idempotent-requests.js';
import { batchFilesSeconds } from '../retention/batch-files.js';
import { BatchRunner } from './batch-runner.js';
import { batchView } from './batch.view.js';

/** https://platform.openai.com/docs/api-reference/batch */
@Controller('v1/batches')
export class BatchesController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly batches: BatchRepository,
    private readonly files: FileRepository,
    private readonly runner: BatchRunner,
    private readonly keyed: IdempotentRequests,
  ) {}

  @Post()
  @HttpCode(200)
  create(
    @CurrentCaller() caller: Caller,
    @Body(new Validated(createBatchRequest)) body: CreateBatchRequest,
    @Headers('idempotency-key') key: string | undefined,
  ): Promise<BatchObject> {
    return this.keyed.once(
      caller,
      { key, body },
      {
        prefix: 'batch',
        make: (id) => this.make(caller, body, id),
        find: (id) => this.get(caller, id),
      },
    );
  }

  @Get()
  async list(
    @CurrentCaller() caller: Caller,
    @Query(new Validated(listBatchesQuery)) query: PageQuery,
  ): Promise<CursorPage<BatchObject>> {
    const { rows, hasMore } = await this.batches.list(caller.userId, query);
    return cursorPage(rows.map(batchView), hasMore);
  }

  @Get(':id')
  async get(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<BatchObject> {
    return batchView(await this.batches.get(id, caller.userId));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  async cancel(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<BatchObject> {
    const batch = await this.batches.cancel(id, caller.userId);
    this.runner.wake();
    return batchView(batch);
  }

  private async make(caller: Caller, body: CreateBatchRequest, id: string): Promise<BatchObject> {
    const param = 'input_file_id';
    const file = await this.files.get(body.input_file_id, caller.userId).catch((cause: unknown) => {
      if (!(cause instanceof NotFoundError)) throw cause;
      throw new InvalidRequestError(`There is no file \`${body.input_file_id}\`.`, { param, cause });
    });
    if (file.purpose !== 'batch') {
      throw new InvalidRequestError(
        `\`${file.id}\` was uploaded for \`${file.purpose}\`; upload it with the purpose \`batch\`.`,
        { param },
      );
    }
    const lifetimeSeconds = body.output_expires_after?.seconds ?? batchFilesSeconds(this.config) ?? null;
    const batch = await this.batches.create(caller, body, lifetimeSeconds, id);
    this.runner.wake();
    return batchView(batch);
  }
}
