import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { OutputStructure } from '@attune/contracts';
import { allows, Matcher, type MatcherCommands } from './matcher.js';
import { settleEnd } from './shared-matcher.js';
import { StructureCompiler, type StructureCompilerOptions } from './structure-compiler.js';
import { MASK } from './thread-protocol.js';
import { readVocabulary, type Vocabulary, vocabularyOf } from './vocabulary.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const END = 98;
const LITERAL = 97;
/** ASCII, a newline and two control tokens: one that tool calls may spell out, one that ends answers. */
const ascii: Vocabulary = vocabularyOf({
  model: { vocab: Object.fromEntries(Array.from({ length: 95 }, (_, i) => [String.fromCharCode(32 + i), i])) },
  added_tokens: [
    { id: 95, content: '\n' },
    { id: 96, content: '<call>', special: true },
    { id: LITERAL, content: 'ab' },
    { id: END, content: '<end>', special: true },
  ],
});
const VOCAB_SIZE = 128; // padded, as models are

beforeAll(() => {
  // Threads run compiled code: make it the code under test.
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'libs/structured'], { cwd: root });
}, 120_000);

const compilers: StructureCompiler[] = [];
afterEach(() => compilers.splice(0).forEach((compiler) => compiler.close()));

function compiler(options: Partial<StructureCompilerOptions> = {}): StructureCompiler {
  const made = new StructureCompiler({ vocabulary: async () => ascii, vocabSize: VOCAB_SIZE, ...options });
  compilers.push(made);
  return made;
}

async function open(structure: OutputStructure, on = compiler(), stopIds: readonly number[] = [END]): Promise<Matcher> {
  const opened = await on.open(structure, stopIds);
  if (!opened.ok) throw new Error(opened.reason);
  return opened.matcher;
}

const idsOf = (text: string) =>
  Array.from(text, (character) => (character === '\n' ? 95 : character.charCodeAt(0) - 32));

/** Walks a text as far as the masks allow. */
function walk(matcher: Matcher, text: string): { taken: string; mayEnd: boolean; complete: boolean } {
  let taken = '';
  for (const id of idsOf(text)) {
    if (!allows(matcher.mask(), id)) break;
    matcher.accept(id);
    taken += text[taken.length];
  }
  return { taken, mayEnd: allows(matcher.mask(), END), complete: matcher.state === 'complete' };
}

async function fits(structure: OutputStructure, text: string, on = compiler()): Promise<boolean> {
  const matcher = await open(structure, on);
  const { taken, mayEnd } = walk(matcher, text);
  matcher.close();
  return taken === text && mayEnd;
}

const person = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer' } },
  required: ['name', 'age'],
};
const call = (name: string) => ({
  begin: `<tool>{"name": "${name}", "arguments": `,
  schema: { type: 'object', properties: { q: { type: 'string' } }, required: ['q'] },
  end: '}</tool>',
});
const tags = (more: object = {}): OutputStructure => ({
  type: 'tags',
  triggers: ['<tool>'],
  tags: [call('find'), call('send')],
  atLeastOne: false,
  stopAfterFirst: false,
  ...more,
});

describe('a structure', () => {
  it.each<[OutputStructure, string[], string[]]>([
    [{ type: 'json_object' }, ['{}', '{"a": [1, {"b": null}]}'], ['[1]', '"a"', '{"a"}']],
    [
      { type: 'json_schema', schema: person },
      ['{"name": "Ann", "age": 3}'],
      ['{"name": "Ann"}', '{"name": 3, "age": 3}', '{}', 'Ann'],
    ],
    [{ type: 'regex', pattern: '[0-9]{2,3}-(x|y)' }, ['12-x', '123-y'], ['1-x', '12-z', '1234-x']],
    [
      { type: 'choice', choices: ['yes', 'yesterday', 'no "way"\n'] },
      ['yes', 'yesterday', 'no "way"\n'],
      ['yest', 'maybe'],
    ],
    [{ type: 'grammar', ebnf: 'root ::= "a" digits\ndigits ::= [0-9]+' }, ['a1', 'a123'], ['a', '1']],
    [
      tags(),
      ['', 'hello', 'so <tool>{"name": "find", "arguments": {"q": "x"}}</tool> and on', 'a <b'],
      ['<tool>', 'x <tool>{"name": "other"'],
    ],
    [tags({ atLeastOne: true }), ['<tool>{"name": "send", "arguments": {"q": ""}}</tool>'], ['', 'hello']],
    [
      tags({ stopAfterFirst: true }),
      ['hi', 'x<tool>{"name": "send", "arguments": {"q": ""}}</tool>'],
      ['<tool>{"name": "send", "arguments": {"q": ""}}</tool>y'],
    ],
  ])('%j lets through what fits it and nothing else', async (structure, good, bad) => {
    const on = compiler();
    for (const text of good) expect([text, await fits(structure, text, on)]).toEqual([text, true]);
    for (const text of bad) expect([text, await fits(structure, text, on)]).toEqual([text, false]);
  });

  it('is complete when nothing but the end can follow, with and without stop tokens', async () => {
    const choice: OutputStructure = { type: 'choice', choices: ['yes', 'yesterday'] };
    const on = compiler();
    for (const stopIds of [[END], []]) {
      const matcher = await open(choice, on, stopIds);
      idsOf('yes').forEach((id) => matcher.accept(id));
      expect(matcher.state).toBe('open');
      expect(allows(matcher.mask(), END)).toBe(stopIds.length > 0);
      idsOf('terday').forEach((id) => matcher.accept(id));
      expect(matcher.state).toBe('complete');
    }
  });

  it('can be walked back, as far as the beginning', async () => {
    const matcher = await open({ type: 'choice', choices: ['abc', 'xyz'] });
    const start = matcher.mask().slice();
    idsOf('ab').forEach((id) => matcher.accept(id));
    const middle = matcher.mask().slice();
    matcher.accept(idsOf('c')[0]!);
    matcher.rollback(1);
    expect(matcher.mask()).toEqual(middle);
    matcher.rollback(2);
    expect(matcher.mask()).toEqual(start);
    expect(allows(start, LITERAL)).toBe(true); // the token "ab" fits just as well
  });

  it('never lets a control token through as text, except in tags that spell it out', async () => {
    const any = await open({ type: 'regex', pattern: '.*' });
    expect(allows(any.mask(), 96)).toBe(false);
    expect(allows(any.mask(), END)).toBe(true);
    const on = compiler();
    const tag = { begin: '<call>', schema: { type: 'integer' }, end: '.' };
    const matcher = await open(tags({ triggers: ['<call>'], tags: [tag], atLeastOne: true }), on);
    expect(allows(matcher.mask(), 96)).toBe(true);
    matcher.accept(96);
    expect(walk(matcher, '12.')).toMatchObject({ taken: '12.', mayEnd: true });
  });

  it('allows stop tokens exactly where it may end', () => {
    const end = Int32Array.of(0b10001, 1);
    expect(settleEnd(end, [1], 32)).toBe('open');
    expect([...end]).toEqual([0b10011, 0]);
    const middle = Int32Array.of(0b10011, 0);
    expect(settleEnd(middle, [1], 32)).toBe('open');
    expect([...middle]).toEqual([0b10001, 0]);
    expect(settleEnd(Int32Array.of(0b10, 1), [1], 32)).toBe('complete');
    expect(settleEnd(Int32Array.of(0b10, 0), [1], 32)).toBe('stuck');
  });

  it('ends with an error, not in waiting, when its thread is gone', async () => {
    const on = compiler();
    const matcher = await open({ type: 'regex', pattern: 'a*' }, on);
    matcher.mask();
    on.close();
    matcher.accept(idsOf('a')[0]!);
    expect(() => matcher.mask()).toThrow(/thread .* ended/);
  });

  it('that fits no token of the vocabulary is stuck, not complete', async () => {
    expect((await open({ type: 'choice', choices: ['é'] })).state).toBe('stuck');
  });
});

describe('the compiler', () => {
  it.each<[OutputStructure, RegExp]>([
    [{ type: 'json_schema', schema: { type: 'strin' } }, /Unsupported type "strin"/],
    [{ type: 'json_schema', schema: { $ref: '#/nowhere' } }, /nowhere/],
    [{ type: 'regex', pattern: '([a-z' }, /Unclosed/],
    [{ type: 'grammar', ebnf: 'root ::= other' }, /"other" is not defined/],
    [{ type: 'choice', choices: ['a', ''] }, /choice is empty/],
    [tags({ triggers: ['<t'], tags: [{ ...call('a'), begin: '<x' }] }), /must start with exactly one/],
    [tags({ triggers: ['<tool>', '<other>'] }), /<other>/],
    [{ type: 'regex', pattern: 'a'.repeat(300_000) }, /at most 262144/],
  ])('says why %.60j cannot be', async (structure, reason) => {
    const on = compiler();
    expect(await on.check(structure)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
    expect(await on.check(structure)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
    expect(await on.check({ type: 'json_object' })).toEqual({ ok: true });
  });

  it('gives each its own reason when good and bad ones come together', async () => {
    const on = compiler({ maxThreads: 1 });
    const outcomes = await Promise.all([
      on.check({ type: 'json_schema', schema: { type: 'strin' } }),
      on.check({ type: 'regex', pattern: 'a+' }),
      on.check({ type: 'regex', pattern: '(' }),
      on.check({ type: 'json_object' }),
    ]);
    expect(outcomes.map(({ ok }) => ok)).toEqual([false, true, false, true]);
    expect(outcomes[0]).toMatchObject({ reason: expect.stringMatching(/strin/) });
    expect(outcomes[2]).not.toMatchObject({ reason: expect.stringMatching(/strin/) });
  });

  it('forgets the least used structures and compiles them again', async () => {
    const on = compiler({ cacheSize: 2 });
    for (let round = 0; round < 2; round++)
      for (const pattern of ['a+', 'b+', 'c+', 'd+'])
        expect(await fits({ type: 'regex', pattern }, pattern[0]!.repeat(3), on)).toBe(true);
  });

  it('gives up on a structure that takes too long, and serves the next', async () => {
    const properties = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`p${i}`, { ...person }]));
    const on = compiler({ compileLimitMs: 20 });
    const slow = await on.check({ type: 'json_schema', schema: { type: 'object', properties } });
    expect(slow).toEqual({ ok: false, reason: expect.stringMatching(/more than 0.02 s/) });
    const patient = compiler();
    expect(await fits({ type: 'regex', pattern: 'a' }, 'a', patient)).toBe(true);
  });

  it('compiles beside an answer under way without holding it up', async () => {
    const on = compiler({ maxThreads: 2 });
    const matcher = await open({ type: 'regex', pattern: 'a*' }, on);
    const properties = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`p${i}`, { ...person }]));
    const started = performance.now();
    let compiled = 0;
    const compiling = on
      .check({ type: 'json_schema', schema: { type: 'object', properties } })
      .then(() => (compiled = performance.now() - started));
    let longest = 0;
    while (compiled === 0) {
      const start = performance.now();
      matcher.accept(idsOf('a')[0]!);
      matcher.mask();
      longest = Math.max(longest, performance.now() - start);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await compiling;
    expect(longest).toBeLessThan(compiled / 2);
  });

  it('is compiled again after its thread has ended by itself', async () => {
    const on = compiler({ maxThreads: 1 });
    const structure: OutputStructure = { type: 'regex', pattern: 'a*' };
    const before = await open(structure, on);
    const { threads } = on as unknown as { threads: Set<{ worker: Worker; alive: boolean }> };
    const [first] = threads;
    await first!.worker.terminate();
    expect(first!.alive).toBe(false);
    before.accept(idsOf('a')[0]!);
    expect(() => before.mask()).toThrow(/ended/);
    expect(walk(await open(structure, on), 'aa').taken).toBe('aa');
    expect(threads.has(first!)).toBe(false);
    expect(threads.size).toBe(1);
  });

  it('is compiled again after its thread hung; answers beside it say what to do', async () => {
    const on = compiler({ maxThreads: 1 });
    const structure: OutputStructure = { type: 'regex', pattern: 'a*' };
    const beside = await open(structure, on);
    const { threads } = on as unknown as { threads: Set<unknown> };
    const [first] = threads;
    // A matcher of the same thread whose mask never comes.
    const { commands } = beside as unknown as { commands: MatcherCommands };
    const never = new Matcher(new Int32Array(new SharedArrayBuffer((MASK + 1) * 4)), commands, 20);
    expect(() => never.mask()).toThrow(/takes too long/);
    beside.accept(idsOf('a')[0]!);
    expect(() => beside.mask()).toThrow(/ended; ask again/);
    expect(walk(await open(structure, on), 'aa').taken).toBe('aa');
    expect(threads.has(first)).toBe(false);
  });

  it('is asked for again when its refusal was a passing one', async () => {
    let reads = 0;
    const vocabulary = async () => {
      if (reads++ === 0) throw new Error('the file is busy');
      return ascii;
    };
    const on = compiler({ vocabulary });
    const structure: OutputStructure = { type: 'regex', pattern: 'a*' };
    expect(await on.check(structure)).toEqual({ ok: false, reason: 'the file is busy' });
    expect(await on.check(structure)).toEqual({ ok: true });
  });

  it('starts no thread once it is closed', async () => {
    const on = compiler({ maxThreads: 1 });
    await open({ type: 'regex', pattern: 'a*' }, on);
    on.close();
    expect(await on.open({ type: 'regex', pattern: 'c*' }, [])).toEqual({ ok: false, reason: 'the engine is closed' });
  });

  it('lets a new structure in although the only thread is never idle', async () => {
    const on = compiler({ maxThreads: 1 });
    const first = await open({ type: 'regex', pattern: 'a*' }, on);
    const order: string[] = [];
    const fresh = open({ type: 'regex', pattern: 'b*' }, on).then((matcher) => (order.push('fresh'), matcher));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const late = open({ type: 'regex', pattern: 'a*' }, on).then((matcher) => (order.push('late'), matcher));
    first.close();
    await Promise.all([fresh, late]);
    expect(order[0]).toBe('late'); // it went in right after the compilation, before its matcher
    expect(walk(await fresh, 'bb').taken).toBe('bb');
  });
});

describe('a real tokenizer', () => {
  const bundled = path.join(root, 'models/attune-mini/tokenizer.json');
  const stories = path.join(root, '../shared/data/weights/stories260K/hf/tokenizer.json');
  const files = [bundled, stories].filter((file) => existsSync(file));

  it.each(files)('%s reaches every text of a grammar, with the space its decoder drops', async (file) => {
    const vocabulary = await readVocabulary(file);
    expect(vocabulary.stripsFirstSpace).toBe(true);
    const size = vocabulary.pieces.length;
    const on = compiler({ vocabulary: async () => vocabulary, vocabSize: size });
    const matcher = await open({ type: 'choice', choices: ['the dog'] }, on, []);
    let text = '';
    while (matcher.state === 'open') {
      const mask = matcher.mask();
      const token = Array.from({ length: size }, (_, id) => id).findLast((id) => allows(mask, id))!;
      matcher.accept(token);
      text += vocabulary.pieces[token]!.replaceAll(/[▁Ġ]/g, ' ');
    }
    expect(text).toBe(' the dog');
    expect(matcher.state).toBe('complete');
  });
});
