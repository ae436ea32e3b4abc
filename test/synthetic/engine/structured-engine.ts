import { execFileSync } from 'node:child_process';
import type { OutputStructure } from '@attune/contracts';
import type { GenerateRequest } from '@attune/engine';
import { vocabularyOf } from '@attune/structured';
import { beforeAll } from 'vitest';
import { useEngines } from './use-engines.js';

/** 64 tokens for the 64 of the tiny models: JSON's signs, letters, digits, and an end. */
export const alphabet = [...'{}[]",: -.0123456789abcdefghijklmnopqrstuvwxyz_<>/\\ABCDEFGHIJKLM'];
export const END = 63;
const vocabulary = vocabularyOf({
  model: { vocab: Object.fromEntries(alphabet.slice(0, END).map((piece, id) => [piece, id])) },
  added_tokens: [{ id: END, content: '<|end|>', special: true }],
});
export const textOf = (tokens: readonly number[]) => tokens.map((token) => alphabet[token]).join('');

/** Loads engines that know the vocabulary, for the specs of a file. */
export function useStructuredEngines() {
  beforeAll(() => {
    // Grammar threads and engine processes run compiled code: make it the code under test.
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'libs/engine'], { stdio: 'inherit' });
  }, 120_000);
  return useEngines({ vocabulary });
}

export const request = (
  id: string,
  structure: OutputStructure,
  more: Partial<GenerateRequest> = {},
): GenerateRequest => ({
  id,
  promptIds: [3, 1, 4],
  maxTokens: 200,
  stopIds: [END],
  sampling: { temperature: 1, seed: 11 },
  structure,
  ...more,
});
