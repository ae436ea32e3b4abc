import { moderationRequest, type ModerationObject, type ModerationRequest } from '@attune/contracts';
import { createId } from '@attune/platform';
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { Validated } from '../core/validate.js';
import { moderate } from './moderate.js';
import { MODERATION_RULES, type LoadedRules } from './load-rules.js';

/** https://platform.openai.com/docs/api-reference/moderations */
@Controller('v1/moderations')
export class ModerationsController {
  constructor(@Inject(MODERATION_RULES) private readonly loaded: LoadedRules) {}

  @Post()
  @HttpCode(200)
  create(@Body(new Validated(moderationRequest)) { input }: ModerationRequest): ModerationObject {
    const texts = [input].flat().map((part) => (typeof part === 'string' ? part : part.text));
    const results = texts.map((text) => moderate(text, this.loaded.rules));
    return { id: createId('modr'), model: this.loaded.name, results };
  }
}
