import {
  createFineTuningJobRequest,
  listFineTuningCheckpointsQuery,
  listFineTuningEventsQuery,
  listFineTuningJobsQuery,
  type CreateFineTuningJobRequest,
  type FineTuningJobObject,
  type ListFineTuningEventsQuery,
} from '@attune/contracts';
import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CurrentCaller, Roles, type Caller } from '../auth/caller.js';
import { expandBrackets } from '../core/brackets.js';
import { validate, Validated } from '../core/validate.js';
import { IdempotentRequests } from '../openai/idempotent-requests.js';
import { EventStream } from '../openai/sse.js';
import { FineTuningService } from './fine-tuning.service.js';

/** https://platform.openai.com/docs/api-reference/fine-tuning */
@Controller('v1/fine_tuning/jobs')
@Roles('admin')
export class FineTuningController {
  constructor(
    private readonly jobs: FineTuningService,
    private readonly keyed: IdempotentRequests,
  ) {}

  @Post()
  @HttpCode(200)
  create(
    @CurrentCaller() caller: Caller,
    @Body(new Validated(createFineTuningJobRequest)) body: CreateFineTuningJobRequest,
    @Headers('idempotency-key') key: string | undefined,
  ): Promise<FineTuningJobObject> {
    return this.keyed.once(
      caller,
      { key, body },
      {
        prefix: 'job',
        make: (id) => this.jobs.create(caller, body, id),
        find: (id) => this.jobs.get(caller, id),
      },
    );
  }

  @Get()
  list(@CurrentCaller() caller: Caller, @Query() query: Record<string, unknown>) {
    return this.jobs.list(caller, validate(listFineTuningJobsQuery, expandBrackets(query)));
  }

  @Get(':id')
  get(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<FineTuningJobObject> {
    return this.jobs.get(caller, id);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  cancel(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<FineTuningJobObject> {
    return this.jobs.change(caller, id, 'cancel');
  }

  @Post(':id/pause')
  @HttpCode(200)
  pause(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<FineTuningJobObject> {
    return this.jobs.change(caller, id, 'requestPause');
  }

  @Post(':id/resume')
  @HttpCode(200)
  resume(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<FineTuningJobObject> {
    return this.jobs.change(caller, id, 'requestResume');
  }

  @Get(':id/events')
  async events(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query(new Validated(listFineTuningEventsQuery)) { stream, ...page }: ListFineTuningEventsQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    // Also what tells a stream for a job that is not there apart from one that is.
    const first = await this.jobs.events(caller, id, page);
    if (!stream) return void reply.send(first);
    const client = new EventStream(reply);
    for await (const event of this.jobs.follow(caller, id, page.after, client.disconnected)) await client.send(event);
    await client.send('[DONE]');
    client.end();
  }

  @Get(':id/checkpoints')
  checkpoints(@CurrentCaller() caller: Caller, @Param('id') id: string, @Query() query: unknown) {
    validate(listFineTuningCheckpointsQuery, query);
    return this.jobs.checkpointsOf(caller, id);
  }
}
