import type { CreateEvalRequest, CreateEvalRunRequest, Grader } from '@attune/contracts';
import { EvalRepository, FileRepository, type Eval, type EvalRunRecord } from '@attune/persistence';
import { namesIn } from '@attune/graders';
import { InvalidRequestError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { ServedModel } from '../inference/served-model.js';
import { compileItemSchema } from './eval-rows.js';
import { EvalRunner } from './eval-runner.js';

/** Creating evals and runs: what can be refused now is not left to fail later. */
@Injectable()
export class EvalsService {
  constructor(
    private readonly evals: EvalRepository,
    private readonly files: FileRepository,
    private readonly runner: EvalRunner,
    private readonly model: ServedModel,
  ) {}

  async create(caller: Caller, request: CreateEvalRequest): Promise<Eval> {
    const { data_source_config: config, testing_criteria: graders } = request;
    if (config.type === 'custom') compileItemSchema(config.item_schema);
    graders.forEach(expectUsable);
    const names = new Set(graders.map(({ name }) => name));
    if (names.size < graders.length) {
      throw new InvalidRequestError('Two testing criteria have the same name; results could not be told apart.', {
        param: 'testing_criteria',
      });
    }
    return this.evals.create(caller.userId, request);
  }

  async run(caller: Caller, evalId: string, request: CreateEvalRunRequest, id: string): Promise<EvalRunRecord> {
    const { data_source: data } = request;
    if (data.source.type === 'file_id') await this.expectFile(caller, data.source.id);
    const model = ('model' in data ? data.model : undefined) ?? this.model.id;
    const record = await this.evals.createRun(evalId, caller, request, model, id);
    this.runner.wake();
    return record;
  }

  /** Its rows hear of it at once where they run here, and within seconds at another gateway. */
  async cancelRun(evalId: string, id: string, userId: string): Promise<EvalRunRecord> {
    const record = await this.evals.cancelRun(evalId, id, userId);
    this.runner.lookAtClaim();
    return record;
  }

  private async expectFile(caller: Caller, id: string): Promise<void> {
    const param = 'data_source.source.id';
    const file = await this.files.get(id, caller.userId).catch((cause: unknown) => {
      throw new InvalidRequestError(`There is no file \`${id}\`.`, { param, cause });
    });
    if (file.purpose === 'evals') return;
    throw new InvalidRequestError(`\`${id}\` was uploaded for \`${file.purpose}\`; upload it for \`evals\`.`, {
      param,
    });
  }
}

/** @throws InvalidRequestError for a calculation over graders that are not there, or passing labels that are none */
export function expectUsable(grader: Grader): void {
  if (grader.type === 'multi') {
    const unknown = namesIn(grader.calculate_output).find((name) => !Object.hasOwn(grader.graders, name));
    if (unknown === undefined) return;
    throw new InvalidRequestError(`\`calculate_output\` speaks of \`${unknown}\`, which is no grader.`, {
      param: 'testing_criteria',
    });
  }
  if (grader.type !== 'label_model') return;
  const odd = grader.passing_labels.find((label) => !grader.labels.includes(label));
  if (odd === undefined) return;
  throw new InvalidRequestError(`\`${odd}\` passes but is none of the labels.`, { param: 'testing_criteria' });
}
