import {
  createEvalRequest,
  createEvalRunRequest,
  listEvalRunsQuery,
  listEvalsQuery,
  listOutputItemsQuery,
  updateEvalRequest,
  type CreateEvalRequest,
  type CreateEvalRunRequest,
  type ListEvalRunsQuery,
  type ListOutputItemsQuery,
  type PageQuery,
  type UpdateEvalRequest,
} from '@attune/contracts';
import { EvalRepository } from '@attune/persistence';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { cursorPage } from '../core/list.js';
import { Validated } from '../core/validate.js';
import { IdempotentRequests } from '../openai/idempotent-requests.js';
import { EvalsService } from './evals.service.js';
import { evalRunView, evalView, outputItemView } from './eval.view.js';

/** https://platform.openai.com/docs/api-reference/evals */
@Controller('v1/evals')
export class EvalsController {
  constructor(
    private readonly evals: EvalRepository,
    private readonly service: EvalsService,
    private readonly keyed: IdempotentRequests,
  ) {}

  @Post()
  @HttpCode(201)
  async create(@CurrentCaller() caller: Caller, @Body(new Validated(createEvalRequest)) body: CreateEvalRequest) {
    return evalView(await this.service.create(caller, body));
  }

  @Get()
  async list(@CurrentCaller() { userId }: Caller, @Query(new Validated(listEvalsQuery)) query: PageQuery) {
    const { rows, hasMore } = await this.evals.list(userId, query);
    return cursorPage(rows.map(evalView), hasMore);
  }

  @Get(':eval')
  async get(@CurrentCaller() { userId }: Caller, @Param('eval') id: string) {
    return evalView(await this.evals.get(id, userId));
  }

  @Post(':eval')
  @HttpCode(200)
  async update(
    @CurrentCaller() { userId }: Caller,
    @Param('eval') id: string,
    @Body(new Validated(updateEvalRequest)) body: UpdateEvalRequest,
  ) {
    return evalView(await this.evals.update(id, userId, body));
  }

  @Delete(':eval')
  async remove(@CurrentCaller() { userId }: Caller, @Param('eval') id: string) {
    await this.evals.remove(id, userId);
    return { object: 'eval.deleted', deleted: true, eval_id: id };
  }

  @Post(':eval/runs')
  @HttpCode(201)
  run(
    @CurrentCaller() caller: Caller,
    @Param('eval') id: string,
    @Body(new Validated(createEvalRunRequest)) body: CreateEvalRunRequest,
    @Headers('idempotency-key') key: string | undefined,
  ) {
    return this.keyed.once(
      caller,
      { key, body: { eval: id, body } },
      {
        prefix: 'evalrun',
        make: async (run) => evalRunView(await this.service.run(caller, id, body, run)),
        find: (run) => this.getRun(caller, id, run),
      },
    );
  }

  @Get(':eval/runs')
  async runs(
    @CurrentCaller() { userId }: Caller,
    @Param('eval') id: string,
    @Query(new Validated(listEvalRunsQuery)) query: ListEvalRunsQuery,
  ) {
    const { rows, hasMore } = await this.evals.runs(id, userId, query);
    return cursorPage(rows.map(evalRunView), hasMore);
  }

  @Get(':eval/runs/:run')
  async getRun(@CurrentCaller() { userId }: Caller, @Param('eval') id: string, @Param('run') run: string) {
    return evalRunView(await this.evals.run(id, run, userId));
  }

  @Post(':eval/runs/:run')
  @HttpCode(200)
  cancelRun(@CurrentCaller() caller: Caller, @Param('eval') id: string, @Param('run') run: string) {
    return this.cancel(caller, id, run);
  }

  @Post(':eval/runs/:run/cancel')
  @HttpCode(200)
  async cancel(@CurrentCaller() { userId }: Caller, @Param('eval') id: string, @Param('run') run: string) {
    return evalRunView(await this.service.cancelRun(id, run, userId));
  }

  @Delete(':eval/runs/:run')
  async removeRun(@CurrentCaller() { userId }: Caller, @Param('eval') id: string, @Param('run') run: string) {
    await this.evals.removeRun(id, run, userId);
    return { object: 'eval.run.deleted', deleted: true, run_id: run };
  }

  @Get(':eval/runs/:run/output_items')
  async items(
    @CurrentCaller() { userId }: Caller,
    @Param('eval') id: string,
    @Param('run') run: string,
    @Query(new Validated(listOutputItemsQuery)) query: ListOutputItemsQuery,
  ) {
    const { rows, hasMore } = await this.evals.items(id, run, userId, query);
    return cursorPage(
      rows.map((item) => outputItemView(id, item)),
      hasMore,
    );
  }

  @Get(':eval/runs/:run/output_items/:item')
  async item(
    @CurrentCaller() { userId }: Caller,
    @Param('eval') id: string,
    @Param('run') run: string,
    @Param('item') item: string,
  ) {
    return outputItemView(id, await this.evals.item(id, run, item, userId));
  }
}
