import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { OutputStructure } from '@attune/contracts';
import {
  allows,
  type Matcher,
  StructureCompiler,
  type StructureCompilerOptions,
  type Vocabulary,
  vocabularyOf,
} from '@attune/structured';
import { afterEach, beforeAll } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

export const END = 98;
/** A token of two letters. */
export const LITERAL = 97;
/** A control token that tool calls may spell out. */
export const CALL = 96;
const NEWLINE = 95;

/** ASCII, a newline and two control tokens: one that tool calls may spell out, one that ends answers. */
export const ascii: Vocabulary = vocabularyOf({
  model: { vocab: Object.fromEntries(Array.from({ length: 95 }, (_, i) => [String.fromCharCode(32 + i), i])) },
  added_tokens: [
    { id: NEWLINE, content: '\n' },
    { id: CALL, content: '<call>', special: true },
    { id: LITERAL, content: 'ab' },
    { id: END, content: '<end>', special: true },
  ],
});
const VOCAB_SIZE = 128; // padded, as models are

/** Makes compilers for the specs of a file, closed after each of them. */
export function useCompilers() {
  const compilers: StructureCompiler[] = [];
  beforeAll(() => {
    // Threads run compiled code: make it the code under test.
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'libs/structured'], { cwd: root });
  }, 120_000);
  afterEach(() => compilers.splice(0).forEach((compiler) => compiler.close()));
  return (options: Partial<StructureCompilerOptions> = {}): StructureCompiler => {
    const made = new StructureCompiler({ vocabulary: async () => ascii, vocabSize: VOCAB_SIZE, ...options });
    compilers.push(made);
    return made;
  };
}

export async function open(
  structure: OutputStructure,
  on: StructureCompiler,
  stopIds: readonly number[] = [END],
): Promise<Matcher> {
  const opened = await on.open(structure, stopIds);
  if (!opened.ok) throw new Error(opened.reason);
  return opened.matcher;
}

export const idsOf = (text: string) =>
  Array.from(text, (character) => (character === '\n' ? NEWLINE : character.charCodeAt(0) - 32));

/** Walks a text as far as the masks allow. */
export function walk(matcher: Matcher, text: string): { taken: string; mayEnd: boolean; complete: boolean } {
  let taken = '';
  for (const id of idsOf(text)) {
    if (!allows(matcher.mask(), id)) break;
    matcher.accept(id);
    taken += text[taken.length];
  }
  return { taken, mayEnd: allows(matcher.mask(), END), complete: matcher.state === 'complete' };
}

/** Whether an answer may be this text. */
export async function fits(structure: OutputStructure, text: string, on: StructureCompiler): Promise<boolean> {
  const matcher = await open(structure, on);
  const { taken, mayEnd } = walk(matcher, text);
  matcher.close();
  return taken === text && mayEnd;
}

export const person = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer' } },
  required: ['name', 'age'],
};
export const call = (name: string) => ({
  begin: `<tool>{"name": "${name}", "arguments": `,
  schema: { type: 'object', properties: { q: { type: 'string' } }, required: ['q'] },
  end: '}</tool>',
});
export const tags = (more: object = {}): OutputStructure => ({
  type: 'tags',
  triggers: ['<tool>'],
  tags: [call('find'), call('send')],
  atLeastOne: false,
  stopAfterFirst: false,
  ...more,
});
