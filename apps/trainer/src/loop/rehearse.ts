import type { Engine } from '@attune/engine';
import { deriveSeed } from '@attune/platform';
import { countValues } from '@attune/training';
import { curate } from '../curation/curate.js';
import { type Dataset, toDataset } from '../curation/dataset.js';
import { MAX_ROW_TOKENS } from '../curation/dataset-builder.js';
import { answerAll } from '../evaluation/answers.js';
import { decideGate } from '../evaluation/gate.js';
import { measureCandidate } from '../evaluation/measure-candidate.js';
import { gateSuite } from '../evaluation/task-suite.js';
import { countTokens } from '../model/answer-sequence.js';
import { type BaseModel, loadEngine } from '../model/base-model.js';
import { weightsOf } from '../model/policy.js';
import { serve, type Served } from '../model/served.js';
import { initialPolicy } from '../recipes/starting-policy.js';
import { trainCandidate } from '../recipes/train-candidate.js';
import type { ExperimentHost } from './experiment.js';
import { judge, type Judged } from './judged.js';
import { memoryContext } from './memory-context.js';
import type { Scenario } from './scenario.js';
import { timed } from './training-time.js';

/** Runs a scenario through curation, training and gate, without database and HTTP. */
export async function rehearse(scenario: Scenario, host: Pick<ExperimentHost, 'model' | 'journal'>) {
  const { config } = scenario;
  const context = await memoryContext(host, config);
  const { model, journal } = context;
  const engine = await loadEngine(model, MAX_ROW_TOKENS);
  const judged = (served: Pick<Served, 'engine' | 'adapter'>) => judgeAnswers(scenario, model, served);
  try {
    const data = await askAndCurate(scenario, model, engine);
    const before = await judged({ engine, adapter: null });
    const { result: candidate, time } = await timed(() =>
      trainCandidate(context, engine, initialPolicy(model, config), data),
    );
    const measures = await measureCandidate({
      engine,
      model,
      seed: deriveSeed(config.seed, scenario.name),
      signal: context.signal,
      candidate: weightsOf(candidate.policy),
      live: { kind: 'base' },
      heldout: data.heldout,
      reward: candidate.judge,
      suite: gateSuite(config.gate.suite_examples_per_family),
      onProgress: (done, of) => journal.progress('evaluate', done, of),
    });
    const served = await serve(model, engine, weightsOf(candidate.policy));
    const after = await judged(served).finally(() => served.release());
    await candidate.reward?.scorer.release();
    return {
      before,
      after,
      time,
      /** Values trained; four bytes each. */
      numTrained: countValues(candidate.policy.parameters),
      objectives: candidate.objectives,
      rewardAccuracy: candidate.reward?.accuracy ?? null,
      measures,
      report: decideGate(measures, config),
    };
  } finally {
    await engine.close();
  }
}

export type Rehearsal = Awaited<ReturnType<typeof rehearse>>;

/** What people are answered before anyone taught the model, what they say about it, and what curation makes of that. */
export async function askAndCurate(
  { conversations, feedback, config, name }: Scenario,
  model: BaseModel,
  engine: Engine,
): Promise<Dataset> {
  const signal = new AbortController().signal;
  const options = { engine, model, seed: deriveSeed(config.seed, name), signal, adapter: null };
  const prompts = conversations.map(({ prompt }) => prompt);
  const greedy = await answerAll(prompts, { ...options, temperature: 0 });
  const sampled = await answerAll(prompts, { ...options, temperature: 1 });
  const said = prompts.flatMap((_, i) => feedback(i, { greedy: greedy[i]!.text, sampled: sampled[i]!.text }));
  const suite = gateSuite(config.gate.suite_examples_per_family);
  const { rows } = curate(said, {
    maxRowsPerUser: config.max_rows_per_user,
    heldoutShare: config.heldout_share,
    maxTokens: MAX_ROW_TOKENS,
    countTokens: (messages) => countTokens(model.tokenizer, messages),
    suiteQuestions: suite.groups.flatMap(({ examples }) => examples.map(({ messages }) => messages.at(-1)!.content)),
  });
  return toDataset(rows);
}

/** How people would judge the greedy answers to the unseen prompts. */
async function judgeAnswers(
  scenario: Scenario,
  model: BaseModel,
  { engine, adapter }: Pick<Served, 'engine' | 'adapter'>,
): Promise<Judged> {
  const { unseen, config, name } = scenario;
  const signal = new AbortController().signal;
  const seed = deriveSeed(config.seed, name);
  const answers = await answerAll(unseen, { engine, model, adapter, temperature: 0, seed, signal });
  return judge(
    scenario,
    answers.map(({ text }) => text),
  );
}
