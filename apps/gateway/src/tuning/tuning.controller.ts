import {
  createTuningJobRequest,
  type CreateTuningJobRequest,
  type DatasetRowView,
  type ListBody,
  type TuningEventView,
  type TuningJobView,
  type TuningMetricView,
} from '@attune/contracts';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { Roles } from '../auth/caller.js';
import { queryNumber } from '../core/list.js';
import { Validated } from '../core/validate.js';
import { TuningService } from './tuning.service.js';

const afterBounds = { default: 0, min: 0, max: 2 ** 31 - 1 };

@Controller('api/tuning/jobs')
@Roles('admin')
export class TuningController {
  constructor(private readonly tuning: TuningService) {}

  @Post()
  start(@Body(new Validated(createTuningJobRequest)) body: CreateTuningJobRequest): Promise<TuningJobView> {
    return this.tuning.start(body);
  }

  @Get()
  list(@Query('limit') limit?: string): Promise<ListBody<TuningJobView>> {
    return this.tuning.list(queryNumber('limit', limit, { default: 50, min: 1, max: 200 }));
  }

  @Get(':id')
  get(@Param('id') id: string): Promise<TuningJobView> {
    return this.tuning.get(id);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  cancel(@Param('id') id: string): Promise<TuningJobView> {
    return this.tuning.cancel(id);
  }

  @Post(':id/pause')
  @HttpCode(200)
  pause(@Param('id') id: string): Promise<TuningJobView> {
    return this.tuning.pause(id);
  }

  @Post(':id/resume')
  @HttpCode(200)
  resume(@Param('id') id: string): Promise<TuningJobView> {
    return this.tuning.resume(id);
  }

  @Get(':id/events')
  events(@Param('id') id: string, @Query('after') after?: string): Promise<ListBody<TuningEventView>> {
    return this.tuning.events(id, queryNumber('after', after, afterBounds));
  }

  @Get(':id/metrics')
  metrics(@Param('id') id: string, @Query('after') after?: string): Promise<ListBody<TuningMetricView>> {
    return this.tuning.metrics(id, queryNumber('after', after, afterBounds));
  }

  @Get(':id/rows')
  rows(@Param('id') id: string): Promise<ListBody<DatasetRowView>> {
    return this.tuning.rows(id);
  }
}
