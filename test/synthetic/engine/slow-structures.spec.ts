import type { OutputStructure } from '@attune/contracts';
import { collect, type Generation } from '@attune/engine';
import type { Matcher, StructureCompiler } from '@attune/structured';
import { describe, expect, it } from 'vitest';
import { request, textOf, useStructuredEngines } from './structured-engine.js';

const load = useStructuredEngines();

describe('a structure that cannot be followed further', () => {
  it.each([
    ['mask', 3],
    ['state', 4],
  ] as const)('ends its own answer alone when its %s does not come', async (what, after) => {
    const structure: OutputStructure = { type: 'regex', pattern: '[a-z]{40}' };
    const alone = await collect((await load()).generate(request('b', structure)));
    const engine = await load();
    const { structures } = engine as unknown as { structures: StructureCompiler };
    const open = structures.open.bind(structures);
    let numOpened = 0;
    structures.open = async (...given) => {
      const opened = await open(...given);
      if (opened.ok && numOpened++ === 0) breakAfter(opened.matcher, what, after);
      return opened;
    };
    const [broken, sound, plain] = await Promise.all([
      collect(engine.generate(request('a', structure))),
      collect(engine.generate(request('b', structure))),
      collect(engine.generate({ ...request('c', structure), structure: undefined, stopIds: [] })),
    ]);
    expect(broken.finished).toMatchObject({ reason: 'failed', error: 'too slow' });
    expect(broken.tokens.length).toBeGreaterThan(0);
    expect(sound.tokens).toEqual(alone.tokens);
    expect(sound.finished.reason).toBe('stop');
    expect(plain.tokens).toHaveLength(200);
  });
});

describe('a structure that is slow to follow', () => {
  it('keeps nobody else waiting, and its own answer is what it would have been', async () => {
    const structure: OutputStructure = { type: 'regex', pattern: '[a-z]{20}' };
    const free = { ...request('b', structure), structure: undefined, stopIds: [] };
    const alone = await collect((await load()).generate(request('a', structure)));
    const engine = await load();
    const { structures } = engine as unknown as { structures: StructureCompiler };
    const open = structures.open.bind(structures);
    structures.open = async (...given) => {
      const opened = await open(...given);
      if (opened.ok) delay(opened.matcher, 25);
      return opened;
    };
    const ended: string[] = [];
    const note = (id: string) => (answer: Generation) => (ended.push(id), answer);
    const [slow, plain] = await Promise.all([
      collect(engine.generate(request('a', structure))).then(note('slow')),
      collect(engine.generate(free)).then(note('plain')),
    ]);
    expect(ended).toEqual(['plain', 'slow']);
    expect(plain.tokens).toHaveLength(200);
    expect(slow.finished.reason).toBe('stop');
    expect(slow.tokens).toEqual(alone.tokens);
  });
});

it('a structured answer whose last mask comes within a step ends there, and draws nothing more', async () => {
  const engine = await load();
  const { structures } = engine as unknown as { structures: StructureCompiler };
  const open = structures.open.bind(structures);
  const choice: OutputStructure = { type: 'choice', choices: ['abc', 'xyz'] };
  const beside: Promise<Generation>[] = [];
  structures.open = async (...given) => {
    const opened = await open(...given);
    if (opened.ok) lateEverySecondTime(opened.matcher);
    // Another answer to go on with, from the same step on.
    beside.push(collect(engine.generate({ ...request('b', choice), structure: undefined, stopIds: [] })));
    return opened;
  };
  const held = await collect(engine.generate(request('a', choice, { stopIds: undefined })));
  expect(held.finished).toMatchObject({ reason: 'stop', completionTokens: 3 });
  expect(['abc', 'xyz']).toContain(textOf(held.tokens));
  expect((await beside[0]!).tokens).toHaveLength(200);
});

/** Not ready when it is first asked after a token, and ready when it is asked again. */
function lateEverySecondTime(matcher: Matcher) {
  const [isReady, accept] = [matcher.isReady.bind(matcher), matcher.accept.bind(matcher)];
  let asked = 0;
  matcher.isReady = () => isReady(1_000) && asked++ > 0;
  matcher.accept = (token) => {
    asked = 0;
    accept(token);
  };
}

/** Has the thread hear of each token this much later. */
function delay(matcher: Matcher, ms: number) {
  const { commands } = matcher as unknown as { commands: { accept(token: number): void } };
  const { accept } = commands;
  commands.accept = (token) => setTimeout(() => accept(token), ms);
}

/** From its so many-th use on, a part of the matcher throws. */
function breakAfter(matcher: Matcher, what: 'mask' | 'state', after: number) {
  const { mask } = matcher;
  let uses = 0;
  const use = <T>(value: () => T): T => {
    if (++uses > after) throw new Error('too slow');
    return value();
  };
  if (what === 'mask') matcher.mask = () => use(() => mask.call(matcher));
  else Object.defineProperty(matcher, 'state', { get: () => use(() => 'open') });
}
