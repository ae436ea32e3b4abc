import type { EvalInputMessages, EvalRunDataSource, EvalSample } from '@attune/contracts';
import { render, type GraderContext, type JudgeRequest } from '@attune/graders';
import { CancelledError, InvalidRequestError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import { OwnApi, type OwnAnswer, type Patience, type Whose } from '../auth/own-api.js';
import type { EvalRow } from './eval-row.js';

interface Message {
  role: string;
  content: string;
}
interface Completion {
  model: string;
  choices: { message: { content: string | null }; finish_reason: string }[];
  usage: {
    prompt_tokens: number;
    completion_tokens: number;
    total_tokens: number;
    prompt_tokens_details: { cached_tokens: number };
  };
}
interface Response {
  model: string;
  status: string;
  output: { type: string; content?: { type: string; text?: string }[] }[];
  usage: {
    input_tokens: number;
    output_tokens: number;
    total_tokens: number;
    input_tokens_details: { cached_tokens: number };
  };
}

/** Answers to the rows of a run: those the rows bring along, or the model's, asked for through the gateway's own API. */
@Injectable()
export class EvalSampler {
  constructor(private readonly api: OwnApi) {}

  /** @param model asked where the data source names none */
  async sample(
    whose: Whose,
    source: EvalRunDataSource,
    model: string,
    row: EvalRow,
    patience: Patience,
  ): Promise<EvalSample | null> {
    if (source.type === 'jsonl' || !source.input_messages) return given(row, model);
    const input = messagesFor(source.input_messages, row);
    const { max_completion_tokens: most, ...sampling } = source.sampling_params ?? {};
    const settings = { model: source.model ?? model, ...sampling };
    if (source.type === 'responses') {
      const { seed: _, response_format: __, ...fields } = settings;
      const body = { ...fields, input, store: false, ...(most !== undefined && { max_output_tokens: most }) };
      const answer = await this.api.postPatiently(whose, '/v1/responses', body, patience);
      return answer && readResponse(answer, input, source);
    }
    const body = { ...settings, messages: input, ...(most !== undefined && { max_completion_tokens: most }) };
    const answer = await this.api.postPatiently(whose, '/v1/chat/completions', body, patience);
    return answer && readCompletion(answer, input, source);
  }

  /**
   * Asks a model for a grade; its answer is held to the labels, or to a number.
   * @param patience given where it may wait for room
   */
  async judge(whose: Whose, request: JudgeRequest, patience?: Patience): Promise<string> {
    const { model, messages, choices, number, sampling } = request;
    const { max_completions_tokens: most, ...rest } = sampling ?? {};
    const body = {
      model,
      messages,
      temperature: 0,
      ...rest,
      ...(most && { max_completion_tokens: most }),
      ...(choices && { guided_choice: choices }),
      ...(number && { guided_regex: '-?[0-9]{1,6}(\\.[0-9]{1,4})?' }),
    };
    const answer = patience
      ? await this.api.postPatiently(whose, '/v1/chat/completions', body, patience)
      : await this.api.post(whose, '/v1/chat/completions', body);
    if (answer === null) throw new CancelledError('The row was given up before it was graded.');
    if (answer.status !== 200) throw new InvalidRequestError(`The grader’s model refused: ${errorOf(answer)?.message}`);
    return (answer.body as Completion).choices[0].message.content ?? '';
  }
}

/** The messages a row is asked with. */
export function messagesFor(input: EvalInputMessages, row: EvalRow): Message[] {
  const context: GraderContext = { item: row.item, sample: { output_text: '' } };
  if (input.type === 'template') {
    return input.template.map(({ role, content }) => {
      const parts = Array.isArray(content) ? content : [content];
      const text = parts.map((part) => (typeof part === 'string' ? part : part.text)).join('');
      return { role: role === 'developer' ? 'system' : role, content: render(text, context) };
    });
  }
  const path = input.item_reference.replace(/^item\./, '').split('.');
  const found = path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], row.item);
  if (Array.isArray(found)) return found as Message[];
  throw new InvalidRequestError(`\`${input.item_reference}\` is no list of messages in this row.`, {
    param: 'input_messages',
  });
}

const NO_USAGE = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0, cached_tokens: 0 };

/** What is known of a row for which no model was asked, or none answered. */
export const EMPTY_SAMPLE: EvalSample = {
  error: null,
  finish_reason: null,
  input: [],
  output: [],
  model: '',
  max_completion_tokens: null,
  seed: null,
  temperature: null,
  top_p: null,
  usage: NO_USAGE,
};

function given(row: EvalRow, model: string): EvalSample {
  const text = row.sample?.output_text;
  const output = typeof text === 'string' ? [{ role: 'assistant', content: text }] : [];
  return { ...EMPTY_SAMPLE, model, output };
}

type Sampled = Exclude<EvalRunDataSource, { type: 'jsonl' }>;

const settingsOf = ({ sampling_params: params }: Sampled) => ({
  max_completion_tokens: params?.max_completion_tokens ?? null,
  seed: params?.seed ?? null,
  temperature: params?.temperature ?? null,
  top_p: params?.top_p ?? null,
});

function readCompletion(answer: OwnAnswer, input: Message[], source: Sampled): EvalSample {
  const common = { ...EMPTY_SAMPLE, input, ...settingsOf(source), error: errorOf(answer), model: source.model ?? '' };
  if (common.error) return common;
  const { model, choices, usage } = answer.body as Completion;
  return {
    ...common,
    model,
    finish_reason: choices[0].finish_reason,
    output: [{ role: 'assistant', content: choices[0].message.content ?? '' }],
    usage: {
      prompt_tokens: usage.prompt_tokens,
      completion_tokens: usage.completion_tokens,
      total_tokens: usage.total_tokens,
      cached_tokens: usage.prompt_tokens_details.cached_tokens,
    },
  };
}

function readResponse(answer: OwnAnswer, input: Message[], source: Sampled): EvalSample {
  const common = { ...EMPTY_SAMPLE, input, ...settingsOf(source), error: errorOf(answer), model: source.model ?? '' };
  if (common.error) return common;
  const { model, status, output, usage } = answer.body as Response;
  const text = output.flatMap(({ content = [] }) => content.map((part) => part.text ?? '')).join('');
  return {
    ...common,
    model,
    finish_reason: status === 'incomplete' ? 'length' : 'stop',
    output: [{ role: 'assistant', content: text }],
    usage: {
      prompt_tokens: usage.input_tokens,
      completion_tokens: usage.output_tokens,
      total_tokens: usage.total_tokens,
      cached_tokens: usage.input_tokens_details.cached_tokens,
    },
  };
}

function errorOf({ status, body }: OwnAnswer): EvalSample['error'] {
  if (status < 300) return null;
  const { error } = body as { error: { code: string | null; message: string } };
  return { code: error.code ?? String(status), message: error.message };
}
