import type { EvalDataSourceConfig, EvalObject, EvalOutputItemObject, EvalRunObject } from '@attune/contracts';
import type { Eval, EvalOutputItem, EvalRunRecord } from '@attune/persistence';
import { seconds } from '../core/seconds.js';

export const evalView = (row: Eval): EvalObject => ({
  id: row.id,
  object: 'eval',
  created_at: seconds(row.createdAt),
  name: row.name,
  data_source_config: configView(row.dataSourceConfig),
  testing_criteria: row.testingCriteria,
  metadata: row.metadata,
});

const anyObject = { type: 'object' };

/** What templates may speak of, as a schema. */
function configView(config: EvalDataSourceConfig): EvalObject['data_source_config'] {
  const item = config.type === 'custom' ? config.item_schema : anyObject;
  const withSample = config.type !== 'custom' || config.include_sample_schema;
  const properties = { item, ...(withSample && { sample: anyObject }) };
  return {
    type: config.type,
    schema: { type: 'object', properties, required: Object.keys(properties) },
    ...('metadata' in config && { metadata: config.metadata ?? null }),
  };
}

export const evalRunView = ({ run, counts, criteria, usage }: EvalRunRecord): EvalRunObject => ({
  id: run.id,
  object: 'eval.run',
  created_at: seconds(run.createdAt),
  eval_id: run.evalId,
  name: run.name,
  model: run.model,
  status: run.status,
  data_source: run.dataSource,
  error: run.error,
  metadata: run.metadata,
  per_model_usage: usage.map(({ model, count, prompt, completion, cached }) => ({
    model_name: model,
    invocation_count: count,
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    cached_tokens: cached,
  })),
  per_testing_criteria_results: criteria.map(({ name, passed, failed }) => ({
    testing_criteria: name,
    passed,
    failed,
  })),
  result_counts: counts,
  report_url: `/v1/evals/${run.evalId}/runs/${run.id}`,
});

export const outputItemView = (evalId: string, item: EvalOutputItem): EvalOutputItemObject => ({
  id: item.id,
  object: 'eval.run.output_item',
  created_at: seconds(item.createdAt),
  eval_id: evalId,
  run_id: item.runId,
  datasource_item_id: item.ordinal,
  datasource_item: item.item,
  results: item.results,
  sample: item.sample,
  status: item.status,
});
