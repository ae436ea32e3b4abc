import { deriveSeed, systemClock } from '@attune/platform';
import { curate } from '../curation/curate.js';
import { toDataset } from '../curation/dataset.js';
import { MAX_ROW_TOKENS } from '../curation/dataset-builder.js';
import { answerAll } from '../evaluation/answers.js';
import { decideGate } from '../evaluation/gate.js';
import { measureCandidate } from '../evaluation/measure-candidate.js';
import { gateSuite } from '../evaluation/task-suite.js';
import type { Journal } from '../jobs/journal.js';
import { RunState } from '../jobs/run-state.js';
import { countTokens } from '../model/answer-sequence.js';
import { type BaseModel, loadEngine } from '../model/base-model.js';
import { weightsOf } from '../model/policy.js';
import { serve, type Served } from '../model/served.js';
import type { RecipeContext } from '../recipes/recipe-context.js';
import { initialPolicy } from '../recipes/starting-policy.js';
import { trainCandidate } from '../recipes/train-candidate.js';
import type { Scenario } from './scenario.js';

/** Runs a scenario through curation, training and gate, without database and HTTP. */
export async function rehearse(scenario: Scenario, model: BaseModel, journal: Journal) {
  const { config } = scenario;
  const context: RecipeContext = {
    model,
    config,
    journal,
    state: await RunState.open(
      { save: async () => undefined, load: async () => undefined },
      async () => null,
      model.digest,
    ),
    clock: systemClock,
    signal: new AbortController().signal,
    saveEveryMs: Infinity,
  };
  const engine = await loadEngine(model, MAX_ROW_TOKENS);
  const options = { engine, model, seed: deriveSeed(config.seed, scenario.name), signal: context.signal };
  const shown = async ({ engine: asked, adapter }: Pick<Served, 'engine' | 'adapter'>) => {
    const answers = await answerAll(scenario.unseen, { ...options, engine: asked, adapter, temperature: 0 });
    return answers.filter(({ text }) => scenario.shows(text)).length / answers.length;
  };
  try {
    const prompts = scenario.conversations.map(({ prompt }) => prompt);
    const greedy = await answerAll(prompts, { ...options, adapter: null, temperature: 0 });
    const sampled = await answerAll(prompts, { ...options, adapter: null, temperature: 1 });
    const feedback = prompts.flatMap((_, i) =>
      scenario.feedback(i, { greedy: greedy[i]!.text, sampled: sampled[i]!.text }),
    );
    const suite = gateSuite(config.gate.suite_examples_per_family);
    const questions = suite.groups.flatMap(({ examples }) => examples.map(({ messages }) => messages.at(-1)!.content));
    const curated = curate(feedback, {
      maxRowsPerUser: config.max_rows_per_user,
      heldoutShare: config.heldout_share,
      maxTokens: MAX_ROW_TOKENS,
      countTokens: (messages) => countTokens(model.tokenizer, messages),
      suiteQuestions: questions,
    });
    const data = toDataset(curated.rows);
    const before = await shown({ engine, adapter: null });
    const candidate = await trainCandidate(context, engine, initialPolicy(model, config), data);
    const measures = await measureCandidate({
      ...options,
      candidate: weightsOf(candidate.policy),
      live: { kind: 'base' },
      heldout: data.heldout,
      reward: candidate.judge,
      suite,
      onProgress: (done, of) => journal.progress('evaluate', done, of),
    });
    const served = await serve(model, engine, weightsOf(candidate.policy));
    const after = await shown(served).finally(() => served.release());
    await candidate.reward?.scorer.release();
    return {
      before,
      after,
      numRows: curated.rows.length,
      objectives: candidate.objectives,
      rewardAccuracy: candidate.reward?.accuracy ?? null,
      measures,
      report: decideGate(measures, config.gate),
    };
  } finally {
    await engine.close();
  }
}

export type Rehearsal = Awaited<ReturnType<typeof rehearse>>;
