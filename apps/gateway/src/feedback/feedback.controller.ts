import { feedbackRequest, type Feedback, type FeedbackRequest, type ListBody } from '@attune/contracts';
import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { queryNumber } from '../core/list.js';
import { Validated } from '../core/validate.js';
import { FeedbackService } from './feedback.service.js';

@Controller('v1/feedback')
export class FeedbackController {
  constructor(private readonly feedback: FeedbackService) {}

  @Post()
  record(
    @CurrentCaller() caller: Caller,
    @Body(new Validated(feedbackRequest)) body: FeedbackRequest,
  ): Promise<Feedback> {
    return this.feedback.record(caller, body);
  }

  @Get()
  list(
    @CurrentCaller() caller: Caller,
    @Query('completion_id') completionId?: string,
    @Query('limit') limit?: string,
  ): Promise<ListBody<Feedback>> {
    return this.feedback.list(caller, completionId, queryNumber('limit', limit, { default: 50, min: 1, max: 200 }));
  }
}
