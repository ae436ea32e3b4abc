import { type ChatMessage, tuningJobConfig } from '@attune/contracts';
import { createRandom, deriveSeed, type Random } from '@attune/platform';
import { finalAnswer, withRationale } from '../datasets/rationale.js';
import type { DataExample } from '../datasets/example.js';
import { answerAll } from '../evaluation/answers.js';
import { gateSuite, measureSuite } from '../evaluation/task-suite.js';
import { loadEngine } from '../model/base-model.js';
import { type Policy, weightsOf } from '../model/policy.js';
import { serve } from '../model/served.js';
import { initialPolicy } from '../recipes/starting-policy.js';
import { trainSft } from '../recipes/sft.recipe.js';
import type { Experiment, ExperimentHost, Row } from './experiment.js';
import { memoryContext } from './memory-context.js';

const NUM_EXAMPLES = 400;
const NUM_ASKED = 100;
const MAX_SEQ = 160;

const config = tuningJobConfig.parse({
  stages: ['sft'],
  form: 'full',
  sft: { epochs: 20, max_steps: 120, learning_rate: 1e-3, batch_size: 16, replay_share: 0.25 },
});

/**
 * Chain of thought (Wei et al. 2022): sums of three numbers, learnt with their worked steps or with the answer alone.
 * The bundled model adds two numbers in one go; three are a step more.
 */
export const rationale: Experiment = {
  expects:
    'Worked steps make sums of three numbers right more often than answers alone, at the same number of examples.',
  variants: ['keep', 'strip'],
  async run(variant, host): Promise<Row> {
    const context = await memoryContext(host, { ...config, seed: host.seed });
    const policy = initialPolicy(host.model, context.config);
    const demonstrations = examplesOf(host.seed, NUM_EXAMPLES).map((example) => {
      const { messages } = withRationale(example, variant as 'keep' | 'strip') as typeof example;
      return { prompt: messages.slice(0, -1), answer: messages.at(-1)!.content };
    });
    await trainSft(context, policy, demonstrations);
    return { variant, figures: await measure(host, policy) };
  },
};

type Sum = Extract<DataExample, { kind: 'conversation' }>;

/** Different sums; those asked later are none of those learnt. */
function examplesOf(seed: number, count: number): Sum[] {
  const random = createRandom(deriveSeed(seed, 'sums'));
  const made = new Map<string, Sum>();
  while (made.size < count) {
    const sum = threeNumbers(random);
    made.set(sum.messages[0]!.content, sum);
  }
  return [...made.values()];
}

function threeNumbers(random: Random): Sum {
  const [a, b, c] = [random.int(30) + 1, random.int(30) + 1, random.int(30) + 1];
  const steps = `${a} + ${b} = ${a + b}\n${a + b} + ${c} = ${a + b + c}\n#### ${a + b + c}`;
  const messages: ChatMessage[] = [
    { role: 'user', content: `What is ${a} + ${b} + ${c}?` },
    { role: 'assistant', content: steps },
  ];
  return { kind: 'conversation', messages };
}

async function measure(host: ExperimentHost, policy: Policy) {
  const engine = await loadEngine(host.model, MAX_SEQ);
  const served = await serve(host.model, engine, weightsOf(policy));
  const signal = new AbortController().signal;
  const options = { ...served, model: host.model, temperature: 0, seed: host.seed, signal };
  try {
    const asked = examplesOf(host.seed, NUM_EXAMPLES + NUM_ASKED).slice(NUM_EXAMPLES);
    const answers = await answerAll(
      asked.map(({ messages }) => messages.slice(0, 1)),
      options,
    );
    const right = answers.filter(
      ({ text }, i) => (finalAnswer(text) ?? text.trim()) === finalAnswer(asked[i]!.messages[1]!.content),
    );
    const suite = await measureSuite(gateSuite(2), options);
    return {
      right: right.length / asked.length,
      answer_tokens: answers.reduce((sum, { logProbs }) => sum + logProbs.length, 0) / answers.length,
      suite_seen: suite.seen,
    };
  } finally {
    await served.release();
    await engine.close();
  }
}
