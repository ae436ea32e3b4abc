import { runGraderRequest, validateGraderRequest, type Grader, type RunGraderRequest } from '@attune/contracts';
import { grade } from '@attune/graders';
import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { CurrentCaller, type Caller } from '../auth/caller.js';
import { Validated } from '../core/validate.js';
import { EvalSampler } from './eval-sampler.js';
import { expectUsable } from './evals.service.js';

/** https://platform.openai.com/docs/api-reference/graders: trying a grader out before a job depends on it. */
@Controller('v1/fine_tuning/alpha/graders')
export class GradersController {
  constructor(private readonly sampler: EvalSampler) {}

  @Post('validate')
  @HttpCode(200)
  validate(@Body(new Validated(validateGraderRequest)) body: { grader: Grader }) {
    expectUsable(body.grader);
    return { grader: body.grader };
  }

  @Post('run')
  @HttpCode(200)
  async run(@CurrentCaller() caller: Caller, @Body(new Validated(runGraderRequest)) body: RunGraderRequest) {
    expectUsable(body.grader);
    const started = performance.now();
    const context = { item: body.item, sample: { output_text: body.model_sample } };
    const { score, parts = {} } = await grade(body.grader, context, (request) => this.sampler.judge(caller, request));
    return {
      reward: score,
      sub_rewards: parts,
      model_grader_token_usage_per_model: {},
      metadata: {
        name: body.grader.name,
        type: body.grader.type,
        errors: NO_ERRORS,
        execution_time: (performance.now() - started) / 1000,
        scores: parts,
        sampled_model_name: null,
        token_usage: null,
      },
    };
  }
}

/** Errors of a grader are answers with a status of their own here; the fields are the protocol's. */
const NO_ERRORS = {
  formula_parse_error: false,
  invalid_variable_error: false,
  model_grader_parse_error: false,
  model_grader_refusal_error: false,
  model_grader_server_error: false,
  model_grader_server_error_details: null,
  other_error: false,
  python_grader_runtime_error: false,
  python_grader_runtime_error_details: null,
  python_grader_server_error: false,
  python_grader_server_error_type: null,
  sample_parse_error: false,
  truncated_observation_error: false,
  unresponsive_reward_error: false,
};
