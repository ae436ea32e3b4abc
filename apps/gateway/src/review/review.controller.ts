import { reviewRequest, reviewStatus, type ListBody, type ReviewItem, type ReviewRequest } from '@attune/contracts';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CurrentCaller, Roles, type Caller } from '../auth/caller.js';
import { queryNumber } from '../core/list.js';
import { Validated, validate } from '../core/validate.js';
import { ReviewService } from './review.service.js';

@Controller('api/review')
@Roles('reviewer')
export class ReviewController {
  constructor(private readonly review: ReviewService) {}

  @Get('queue')
  queue(
    @Query('status') status?: string,
    @Query('limit') limitText?: string,
    @Query('after') after?: string,
  ): Promise<ListBody<ReviewItem>> {
    const limit = queryNumber('limit', limitText, { default: 50, min: 1, max: 200 });
    return this.review.queue(validate(reviewStatus, status ?? 'pending'), limit, after);
  }

  @Post(':feedbackId')
  @HttpCode(200)
  decide(
    @CurrentCaller() caller: Caller,
    @Param('feedbackId') feedbackId: string,
    @Body(new Validated(reviewRequest)) body: ReviewRequest,
  ): Promise<ReviewItem> {
    return this.review.decide(caller, feedbackId, body);
  }
}
