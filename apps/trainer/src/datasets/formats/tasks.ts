import { p3Row, rankingRow, reasoningRow, seedTaskRow } from '@attune/contracts';
import { type DataExample, defineFormat } from '../example.js';
import { fromTurn } from '../messages.js';

/** P3: prompted benchmarks, one template filled in a row; the data set is the task mixtures are drawn by. */
export const p3 = defineFormat({
  name: 'p3',
  keys: ['dataset', 'template', 'prompt', 'completion'],
  schema: p3Row,
  read: ({ dataset, template, prompt, completion }) => [
    { ...questionAndAnswer(prompt.trim(), completion.trim()), task: `${dataset}/${template}` },
  ],
  write(example) {
    const asked = asQuestionAndAnswer(example);
    const [, dataset, template] = /^([^/]+)\/(.+)$/.exec(example.task ?? '') ?? [];
    return asked && dataset && template
      ? { dataset, template, prompt: asked.question, completion: asked.answer }
      : null;
  },
});

/** GSM8K: the reasoning and, after `####`, the final answer; see stripRationale. */
export const reasoning = defineFormat({
  name: 'gsm8k',
  keys: ['question', 'answer'],
  schema: reasoningRow,
  read: ({ question, answer }) => [{ ...questionAndAnswer(question, answer), task: 'gsm8k' }],
  write(example) {
    return example.task === 'gsm8k' ? asQuestionAndAnswer(example) : null;
  },
});

/** Self-Instruct's seed tasks: every instance of an instruction is an example. */
export const seedTask = defineFormat({
  name: 'self-instruct',
  keys: ['instruction', 'instances'],
  schema: seedTaskRow,
  read: ({ instruction, instances }) =>
    instances.map(({ input, output }) =>
      questionAndAnswer(input.trim() ? `${instruction}\n\n${input}` : instruction, output),
    ),
  write(example) {
    const asked = asQuestionAndAnswer(example);
    return asked && !example.task
      ? { instruction: asked.question, instances: [{ input: '', output: asked.answer }] }
      : null;
  },
});

/** Answers to one prompt from best to worst. */
export const ranking = defineFormat({
  name: 'ranking',
  keys: ['prompt', 'answers'],
  schema: rankingRow,
  read: ({ prompt, answers }) => [{ kind: 'ranking', prompt: fromTurn(prompt, 'user'), answers }],
  write: (example) => (example.kind === 'ranking' ? { prompt: example.prompt, answers: example.answers } : null),
});

const questionAndAnswer = (question: string, answer: string): Extract<DataExample, { kind: 'conversation' }> => ({
  kind: 'conversation',
  messages: [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ],
});

function asQuestionAndAnswer(example: DataExample): { question: string; answer: string } | null {
  if (example.kind !== 'conversation' || example.tools?.length || example.messages.length !== 2) return null;
  const [question, answer] = example.messages;
  if (question?.role !== 'user' || answer?.role !== 'assistant' || answer.tool_calls) return null;
  return { question: question.content, answer: answer.content };
}
