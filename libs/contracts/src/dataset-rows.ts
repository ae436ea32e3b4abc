import { z } from 'zod';

/**
 * Rows of training files, format by format, as the wild writes them: what is not named here is let pass. What each
 * format means is in the trainer's `datasets` folder; an upload is checked against these shapes before it is kept.
 */
const text = z.string();
const filled = z.string().min(1);

const rowToolCall = z.looseObject({
  id: z.string().optional(),
  function: z.looseObject({ name: filled, arguments: z.union([text, z.looseObject({})]) }),
});

const textParts = z.array(z.looseObject({ type: z.literal('text'), text }));

/** A message in OpenAI's form; `weight` 0 marks an assistant's turn that is context only. */
export const rowMessage = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  content: z.union([text, textParts, z.null()]).optional(),
  name: z.string().nullish(),
  tool_calls: z.array(rowToolCall).nullish(),
  tool_call_id: z.string().nullish(),
  weight: z.union([z.literal(0), z.literal(1)]).nullish(),
});
export type RowMessage = z.output<typeof rowMessage>;

const rowTool = z.looseObject({
  type: z.literal('function'),
  function: z.looseObject({
    name: filled,
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
  }),
});
export type RowTool = z.output<typeof rowTool>;

const messages = z.array(rowMessage).min(1);
const answers = z.array(rowMessage).min(1);
const tools = z.array(rowTool).nullish();

/** OpenAI's supervised format, which is also TRL's `messages`: https://platform.openai.com/docs/guides/supervised-fine-tuning */
export const openaiChatRow = z.looseObject({ messages, tools });

/** OpenAI's preference format: https://platform.openai.com/docs/guides/direct-preference-optimization */
export const openaiPreferenceRow = z.looseObject({
  input: z.looseObject({ messages, tools }),
  preferred_output: answers,
  non_preferred_output: answers,
});

const shareGptTurn = z.looseObject({
  from: z.enum(['system', 'human', 'user', 'gpt', 'assistant', 'function_call', 'observation', 'tool']),
  value: text,
});
/** ShareGPT, with tools as a JSON text and, for preferences, two last turns: as LLaMA-Factory and FastChat write it. */
export const shareGptRow = z.looseObject({
  conversations: z.array(shareGptTurn).min(1),
  system: z.string().nullish(),
  tools: z.string().nullish(),
  chosen: shareGptTurn.optional(),
  rejected: shareGptTurn.optional(),
});

/** Alpaca's instruction rows, with or without a preferred and a rejected answer. */
export const alpacaRow = z.looseObject({
  instruction: filled,
  input: z.string().nullish(),
  output: z.string().nullish(),
  system: z.string().nullish(),
  chosen: z.string().optional(),
  rejected: z.string().optional(),
});

const turn = z.union([text, z.array(rowMessage).min(1)]);
/** TRL's prompt-completion rows, plain or conversational: https://huggingface.co/docs/trl/dataset_formats */
export const promptCompletionRow = z.looseObject({ prompt: turn, completion: turn, tools });
/** TRL's unpaired preferences (KTO). */
export const unpairedRow = z.looseObject({ prompt: turn, completion: turn, label: z.boolean(), tools });
/** TRL's preferences; without a prompt it is what both conversations begin with. */
export const preferenceRow = z.looseObject({ prompt: turn.optional(), chosen: turn, rejected: turn, tools });
/** A whole conversation with a thumb on its last turn. */
export const judgedConversationRow = z.looseObject({ messages, label: z.boolean(), tools });

/** P3 (T0): a task's template filled in; `dataset` and `template` name the task. */
export const p3Row = z.looseObject({ dataset: filled, template: filled, prompt: filled, completion: text });
/** Answers to one prompt from best to worst. */
export const rankingRow = z.looseObject({ prompt: turn, answers: z.array(filled).min(2) });
/** GSM8K: worked reasoning, then `#### ` and the final answer. */
export const reasoningRow = z.looseObject({ question: filled, answer: filled });
/** Seed tasks of Self-Instruct: one instruction, several instances. */
export const seedTaskRow = z.looseObject({
  instruction: filled,
  instances: z.array(z.looseObject({ input: text, output: text })).min(1),
});
