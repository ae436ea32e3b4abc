import {
  promotionRequest,
  type CheckpointView,
  type ListBody,
  type PromotionRequest,
  type PromotionView,
} from '@attune/contracts';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CurrentCaller, Roles, type Caller } from '../auth/caller.js';
import { queryNumber } from '../core/list.js';
import { Validated } from '../core/validate.js';
import { CheckpointsService } from './checkpoints.service.js';

const limitBounds = { default: 50, min: 1, max: 200 };

@Controller('api')
@Roles('admin')
export class CheckpointsController {
  constructor(private readonly checkpoints: CheckpointsService) {}

  @Get('checkpoints')
  list(@Query('limit') limit?: string): Promise<ListBody<CheckpointView>> {
    return this.checkpoints.list(queryNumber('limit', limit, limitBounds));
  }

  @Get('promotions')
  promotions(@Query('limit') limit?: string): Promise<ListBody<PromotionView>> {
    return this.checkpoints.promotions(queryNumber('limit', limit, limitBounds));
  }

  @Post('checkpoints/rollback')
  @HttpCode(200)
  rollback(
    @CurrentCaller() caller: Caller,
    @Body(new Validated(promotionRequest)) body: PromotionRequest,
  ): Promise<PromotionView> {
    return this.checkpoints.rollback(caller, body.reason);
  }

  @Post('checkpoints/:id/promote')
  @HttpCode(200)
  promote(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Body(new Validated(promotionRequest)) body: PromotionRequest,
  ): Promise<PromotionView> {
    return this.checkpoints.promote(caller, id, body.reason);
  }
}
