import type { Grader, GraderMessage, SingleGrader } from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';
import { calculate } from './calculate.js';
import { textSimilarity } from './similarity/text-similarity.js';
import { render, type GraderContext } from './template.js';

type Of<Type extends SingleGrader['type']> = Extract<SingleGrader, { type: Type }>;

/** What a model is asked for a grade: messages, and the form of the answer. */
export interface JudgeRequest {
  readonly model: string;
  readonly messages: readonly { role: 'system' | 'user' | 'assistant'; content: string }[];
  /** The answer is one of these. */
  readonly choices?: readonly string[];
  /** The answer is a number. */
  readonly number?: boolean;
  readonly sampling?: Of<'score_model'>['sampling_params'];
}
/** Asks a model; graders that need none do without. */
export type Judge = (request: JudgeRequest) => Promise<string>;

export interface Grade {
  readonly name: string;
  /** 0 to 1, but for score models with another range and calculations. */
  readonly score: number;
  readonly passed: boolean;
  /** Of a label model. */
  readonly label?: string;
  /** Of a multi grader: the scores it is calculated from. */
  readonly parts?: Readonly<Record<string, number>>;
}

/**
 * Grades an answer.
 * @throws InvalidRequestError for a calculation that is none, or when a model is needed and `judge` left out
 */
export async function grade(grader: Grader, context: GraderContext, judge: Judge = noJudge): Promise<Grade> {
  switch (grader.type) {
    case 'string_check':
      return whether(grader.name, stringCheck(grader, context));
    case 'text_similarity': {
      const { evaluation_metric: metric, input, reference, pass_threshold: threshold = 0.5 } = grader;
      const score = textSimilarity(metric, render(input, context), render(reference, context));
      return { name: grader.name, score, passed: score >= threshold };
    }
    case 'label_model':
      return byLabel(grader, context, judge);
    case 'score_model':
      return byScore(grader, context, judge);
    case 'multi': {
      const parts: Record<string, number> = {};
      for (const [name, part] of Object.entries(grader.graders))
        parts[name] = (await grade(part, context, judge)).score;
      const score = calculate(grader.calculate_output, parts);
      if (!Number.isFinite(score)) {
        throw new InvalidRequestError(`\`calculate_output\` gives ${score}; it must give a number.`, {
          param: 'calculate_output',
        });
      }
      return { name: grader.name, score, passed: score >= 0.5, parts };
    }
  }
}

function stringCheck({ operation, ...texts }: Of<'string_check'>, context: GraderContext): boolean {
  const [input, reference] = [render(texts.input, context), render(texts.reference, context)];
  switch (operation) {
    case 'eq':
      return input === reference;
    case 'ne':
      return input !== reference;
    case 'like':
      return input.includes(reference);
    case 'ilike':
      return input.toLowerCase().includes(reference.toLowerCase());
  }
}

async function byLabel(grader: Of<'label_model'>, context: GraderContext, judge: Judge): Promise<Grade> {
  const { model, labels, passing_labels: passing } = grader;
  const label = (await judge({ model, messages: messagesOf(grader.input, context), choices: labels })).trim();
  return { ...whether(grader.name, passing.includes(label)), label };
}

async function byScore(grader: Of<'score_model'>, context: GraderContext, judge: Judge): Promise<Grade> {
  const { name, model, range, sampling_params: sampling } = grader;
  const answer = await judge({ model, messages: messagesOf(grader.input, context), number: true, sampling });
  const [lowest, highest] = range;
  const found = Number(/-?\d+(?:\.\d+)?/.exec(answer)?.[0] ?? lowest);
  const score = Math.min(highest, Math.max(lowest, found));
  return { name, score, passed: score >= (grader.pass_threshold ?? (lowest + highest) / 2) };
}

function messagesOf(input: readonly GraderMessage[], context: GraderContext): JudgeRequest['messages'] {
  return input.map(({ role, content }) => {
    const parts = Array.isArray(content) ? content : [content];
    const text = parts.map((part) => (typeof part === 'string' ? part : part.text)).join('');
    return { role: role === 'developer' ? 'system' : role, content: render(text, context) };
  });
}

const whether = (name: string, passed: boolean): Grade => ({ name, score: passed ? 1 : 0, passed });

const noJudge: Judge = () =>
  Promise.reject(new InvalidRequestError('This grader asks a model, which is not possible here.', { param: 'grader' }));
