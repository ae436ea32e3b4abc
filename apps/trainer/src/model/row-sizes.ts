import type { ChatMessage } from '@attune/contracts';
import type { Tokenizer } from '@attune/tokenizer';
import { countTokens, promptIds } from './answer-sequence.js';

/** What a row of data asks of memory, in tokens. */
export interface RowSizes {
  /** The longest prompt with its answer. */
  readonly row: number;
  readonly prompt: number;
  readonly answer: number;
  /** How many answers each prompt has that somebody compared, the most first. */
  readonly rankings: readonly number[];
}

interface MeasuredRow {
  readonly prompt: readonly ChatMessage[];
  readonly chosen: string;
  readonly rejected: string | null;
}

/** The sizes of some rows; 0 and none without any. */
export function rowSizes(tokenizer: Tokenizer, rows: readonly MeasuredRow[]): RowSizes {
  const compared = new Map<string, Set<string>>();
  let [row, prompt, answer] = [0, 0, 0];
  for (const { prompt: messages, chosen, rejected } of rows) {
    const asked = promptIds(tokenizer, messages).length;
    for (const content of rejected === null ? [chosen] : [chosen, rejected]) {
      const whole = countTokens(tokenizer, [...messages, { role: 'assistant', content }]);
      row = Math.max(row, whole);
      answer = Math.max(answer, whole - asked);
    }
    prompt = Math.max(prompt, asked);
    if (rejected !== null) rankingOf(compared, messages).add(chosen).add(rejected);
  }
  return { row, prompt, answer, rankings: [...compared.values()].map(({ size }) => size).toSorted((a, b) => b - a) };
}

/** The sizes of all of them together. */
export function together(...all: readonly RowSizes[]): RowSizes {
  const most = (name: 'row' | 'prompt' | 'answer') => Math.max(0, ...all.map((sizes) => sizes[name]));
  const rankings = all.flatMap((sizes) => sizes.rankings).toSorted((a, b) => b - a);
  return { row: most('row'), prompt: most('prompt'), answer: most('answer'), rankings };
}

/** The longest of some prompts, in tokens. */
export const longestPrompt = (tokenizer: Tokenizer, prompts: readonly (readonly ChatMessage[])[]): number =>
  prompts.reduce((longest, prompt) => Math.max(longest, promptIds(tokenizer, prompt).length), 0);

function rankingOf(compared: Map<string, Set<string>>, prompt: readonly ChatMessage[]): Set<string> {
  const key = JSON.stringify(prompt);
  const answers = compared.get(key) ?? new Set<string>();
  compared.set(key, answers);
  return answers;
}
