import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TrainingState } from '@attune/checkpoint';
import { tuningJobConfig } from '@attune/contracts';
import { parseModelConfig } from '@attune/models';
import { createRandom, systemClock } from '@attune/platform';
import { createRuntime } from '@attune/runtime';
import {
  attuneChatTemplate,
  attuneSpecialTokens,
  attuneTokenRoles,
  Tokenizer,
  trainBpe,
  writeTokenizerFolder,
} from '@attune/tokenizer';
import { initialParameters } from '@attune/training';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset, DatasetSide } from '../curation/dataset.js';
import { type RunCursor, RunState, type StateStore } from '../jobs/run-state.js';
import { type BaseModel, loadEngine } from '../model/base-model.js';
import type { RecipeContext } from './recipe-context.js';
import { initialPolicy } from './starting-policy.js';
import { trainCandidate } from './train-candidate.js';

const config = tuningJobConfig.parse({
  lora: { rank: 2, targets: ['q_proj', 'v_proj'] },
  sft: { epochs: 2, batch_size: 4, learning_rate: 5e-3 },
  reward: { epochs: 2, batch_size: 4, learning_rate: 5e-3, min_accuracy: 0 },
  ppo: { iterations: 3, rollouts_per_iteration: 4, max_answer_tokens: 6, learning_rate: 5e-3 },
});

const words = ['over', 'and', 'out', 'ship', 'port', 'sea'];
const side = (names: readonly string[]): DatasetSide => {
  const prompts = names.map((name) => [{ role: 'user' as const, content: `Say ${name}.` }]);
  return {
    prompts,
    demonstrations: prompts.map((prompt, i) => ({ prompt, answer: `${names[i]} over` })),
    thumbs: prompts.map((prompt, i) => ({
      prompt,
      answer: i % 2 ? `${names[i]} over` : `${names[i]}`,
      liked: i % 2 === 1,
    })),
    preferences: prompts.map((prompt, i) => ({ prompt, chosen: `${names[i]} over`, rejected: `${names[i]}` })),
  };
};
const data: Dataset = { train: side(words.slice(0, 5)), heldout: side(words.slice(5)) };

let folder: string;
let model: BaseModel;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'attune-recipes-'));
  const trained = trainBpe(words, { vocabSize: 300, specialTokens: attuneSpecialTokens });
  await writeTokenizerFolder(folder, trained, {
    roles: attuneTokenRoles,
    chatTemplate: attuneChatTemplate,
    maxLength: 256,
  });
  const tokenizer = await Tokenizer.fromFolder(folder);
  const rawConfig = {
    architectures: ['LlamaForCausalLM'],
    hidden_size: 32,
    intermediate_size: 48,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    vocab_size: 300,
    max_position_embeddings: 256,
    tie_word_embeddings: true,
  };
  const modelConfig = parseModelConfig(rawConfig);
  model = {
    name: 'tiny',
    folder,
    digest: 'tiny',
    config: modelConfig,
    rawConfig,
    parameters: initialParameters(modelConfig, createRandom(5), 0.3),
    tokenizer,
    runtime: createRuntime({ threads: 1 }),
    threads: 1,
  };
});
afterAll(() => rm(folder, { recursive: true }));

interface Told {
  stages: string[];
  values: Record<string, number>[];
}

/** Runs all stages and saves after every step; `diesAt` kills it before that many steps are written down. */
async function train(store: StateStore, told: Told, diesAt = Infinity) {
  const journal = {
    step: (stage: string, _: number, values: Record<string, number>) => {
      if (told.stages.length >= diesAt) throw new Error('killed');
      told.stages.push(stage);
      told.values.push(values);
    },
    progress: () => undefined,
    info: () => undefined,
    warn: (message: string) => {
      throw new Error(`unexpected: ${message}`);
    },
    flush: async () => undefined,
  };
  const context = {
    model,
    config,
    state: await RunState.open(store, async () => null, 'base'),
    journal,
    clock: systemClock,
    signal: new AbortController().signal,
    saveEveryMs: 0,
  } as unknown as RecipeContext;
  const engine = await loadEngine(model, 64);
  try {
    const candidate = await trainCandidate(context, engine, initialPolicy(model, config), data);
    await candidate.reward?.scorer.release();
    return candidate;
  } finally {
    await engine.close();
  }
}

function memoryStore(): StateStore {
  let kept: TrainingState<RunCursor> | undefined;
  return {
    save: async ({ arrays, json }) => void (kept = structuredClone({ arrays: new Map(arrays), json })),
    load: async () => structuredClone(kept),
  };
}

describe('the recipes', () => {
  it('run in their order, and PPO begins where serving is: ratio 1, and the log-probs of the engine are the trainer’s', async () => {
    const told: Told = { stages: [], values: [] };
    const { objectives, policy } = await train(memoryStore(), told);
    expect(objectives).toEqual(['sft', 'reward', 'ppo']);
    expect([...new Set(told.stages)]).toEqual(['sft', 'reward', 'ppo']);
    const iterations = told.values.filter((_, i) => told.stages[i] === 'ppo');
    for (const { log_prob_gap: gap, first_ratio: ratio } of iterations) {
      expect(gap).toBeLessThan(1e-4);
      expect(Math.abs(ratio! - 1)).toBeLessThan(1e-4);
    }
    expect(Math.abs(iterations[0]!.kl!)).toBeLessThan(1e-3);
    expect([...policy.parameters.values()].some(({ data: values }) => values.some((x) => x !== 0))).toBe(true);
  });

  it.each([2, 6, 9])('end with the same weights although they were killed after %i steps', async (diesAt) => {
    const straight = await train(memoryStore(), { stages: [], values: [] });
    const store = memoryStore();
    await expect(train(store, { stages: [], values: [] }, diesAt)).rejects.toThrow('killed');
    const rest: Told = { stages: [], values: [] };
    const resumed = await train(store, rest);
    expect(rest.stages.length).toBeGreaterThan(0);
    for (const part of ['policy', 'reward'] as const) {
      const expected = straight[part]!.parameters;
      for (const [name, { data: values }] of resumed[part]!.parameters)
        expect(values, name).toEqual(expected.get(name)!.data);
    }
  });
});
