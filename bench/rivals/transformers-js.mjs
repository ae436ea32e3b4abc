// transformers.js in a process of its own: answers { call, ... } messages with milliseconds.
import path from 'node:path';
import { AutoModelForCausalLM, env, Tensor } from '@huggingface/transformers';
import { answerCalls } from './answer-calls.mjs';

env.allowRemoteModels = false;
let model;

const calls = {
  async load({ folder, threads }) {
    env.localModelPath = path.dirname(folder);
    model = await AutoModelForCausalLM.from_pretrained(path.basename(folder), {
      dtype: 'q4',
      device: 'cpu',
      session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
    });
  },

  async prefill({ prompt }) {
    return generate([prompt], 1);
  },

  /** `count` tokens after the first, of all prompts (of one length) together. */
  async decode({ prompts, count }) {
    const first = await generate(prompts, 1);
    return (await generate(prompts, count + 1)) - first;
  },
};

async function generate(prompts, count) {
  const shape = [prompts.length, prompts[0].length];
  const inputs = new Tensor('int64', BigInt64Array.from(prompts.flat(), BigInt), shape);
  const attention_mask = new Tensor('int64', new BigInt64Array(prompts.flat().length).fill(1n), shape);
  const start = performance.now();
  const length = { max_new_tokens: count, min_new_tokens: count };
  await model.generate({ inputs, attention_mask, do_sample: false, ...length });
  return performance.now() - start;
}

answerCalls(calls);
