import type { Worker } from 'node:worker_threads';
import type { OutputStructure } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import {
  ascii,
  call,
  fits,
  idsOf,
  open,
  person,
  tags,
  useCompilers,
  walk,
} from '../../../test/support/ascii-structures.js';
import { Matcher, type MatcherCommands } from './matcher.js';
import { MASK } from './thread-protocol.js';

const compiler = useCompilers();

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
