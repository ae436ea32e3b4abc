import { execFileSync } from 'node:child_process';
import type { OutputStructure } from '@attune/contracts';
import { collect, Engine, EngineHost, type EngineOptions, type GenerateRequest, type Generation } from '@attune/engine';
import { type Matcher, type StructureCompiler, vocabularyOf } from '@attune/structured';
import { Tokenizer } from '@attune/tokenizer';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { randomModel } from './tiny-models.js';

/** 64 tokens for the 64 of the tiny models: JSON's signs, letters, digits, and an end. */
const alphabet = [...'{}[]",: -.0123456789abcdefghijklmnopqrstuvwxyz_<>/\\ABCDEFGHIJKLM'];
const END = 63;
const vocabulary = vocabularyOf({
  model: { vocab: Object.fromEntries(alphabet.slice(0, END).map((piece, id) => [piece, id])) },
  added_tokens: [{ id: END, content: '<|end|>', special: true }],
});
const textOf = (tokens: readonly number[]) => tokens.map((token) => alphabet[token]).join('');

beforeAll(() => {
  // Grammar threads and engine processes run compiled code: make it the code under test.
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'libs/engine'], { stdio: 'inherit' });
}, 120_000);

const engines: Engine[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
});

async function load(options: Partial<EngineOptions> = {}): Promise<Engine> {
  const model = randomModel(1);
  const engine = await Engine.load({ model, vocabulary, slots: 4, threads: 1, spinning: false, ...options });
  engines.push(engine);
  return engine;
}

const request = (id: string, structure: OutputStructure, more: Partial<GenerateRequest> = {}): GenerateRequest => ({
  id,
  promptIds: [3, 1, 4],
  maxTokens: 200,
  stopIds: [END],
  sampling: { temperature: 1, seed: 11 },
  structure,
  ...more,
});

const schema = {
  type: 'object',
  properties: { kind: { enum: ['cat', 'dog'] }, age: { type: 'integer', minimum: 0, maximum: 99 } },
  required: ['kind', 'age'],
};

describe('a structured answer', () => {
  it('fits its structure whatever the model would rather say, for any seed', async () => {
    const engine = await load();
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, seed) =>
        collect(
          engine.generate(
            request(`r${seed}`, { type: 'json_schema', schema }, { sampling: { seed, temperature: 1.5 } }),
          ),
        ),
      ),
    );
    for (const { tokens, finished } of answers) {
      expect(finished.reason).toBe('stop');
      const value = JSON.parse(textOf(tokens)) as { kind: string; age: number };
      expect(['cat', 'dog']).toContain(value.kind);
      expect(value.age).toBeGreaterThanOrEqual(0);
    }
    expect(new Set(answers.map(({ tokens }) => textOf(tokens))).size).toBeGreaterThan(2);
  });

  it('ends by itself where nothing can follow, with and without stop tokens, and where the model stops it', async () => {
    const engine = await load();
    const choice: OutputStructure = { type: 'choice', choices: ['abc', 'xyz'] };
    for (const stopIds of [[END], undefined]) {
      const { tokens, finished } = await collect(engine.generate(request('a', choice, { stopIds })));
      expect(['abc', 'xyz']).toContain(textOf(tokens));
      expect(finished).toMatchObject({ reason: 'stop', completionTokens: 3 });
    }
    const digits: OutputStructure = { type: 'regex', pattern: '[0-9]+' };
    const stopped = await collect(
      engine.generate(
        request('b', digits, { sampling: { temperature: 0, logitBias: { [END]: 100 } }, logProbs: true }),
      ),
    );
    expect(textOf(stopped.tokens)).toMatch(/^[0-9]$/); // the end is not allowed before a digit, however likely it is
    expect(stopped.finished.stopToken).toMatchObject({ token: END });
  });

  it('gives the same tokens alone or among others, structured or not', async () => {
    const requests = [
      request('a', { type: 'json_object' }, { maxTokens: 40 }),
      request('b', { type: 'regex', pattern: '[a-z]{5,20}' }),
      { ...request('c', { type: 'json_object' }), structure: undefined, maxTokens: 40 },
      request('d', { type: 'json_schema', schema }),
    ];
    const single = await load({ slots: 1 });
    const alone = [];
    for (const each of requests) alone.push((await collect(single.generate(each))).tokens);
    const shared = await load({ slots: 4, tokenBudget: 20 });
    const together = await Promise.all(requests.map((each) => collect(shared.generate(each))));
    expect(together.map(({ tokens }) => tokens)).toEqual(alone);
  });

  it('keeps log-probs of the unmodified distribution', async () => {
    const engine = await load();
    const more = { maxTokens: 1, logProbs: true, sampling: { temperature: 0 } };
    const free = await collect(
      engine.generate({ ...request('a', { type: 'json_object' }, more), structure: undefined, topLogProbs: 64 }),
    );
    const held = await collect(
      engine.generate(request('b', { type: 'choice', choices: ['{'] }, { ...more, topLogProbs: 64 })),
    );
    expect(textOf(held.tokens)).toBe('{');
    expect(held.logProbs[0]).toBeLessThan(free.logProbs[0]!);
  });

  it('goes on behind the tokens of an earlier run', async () => {
    const engine = await load();
    const structure: OutputStructure = { type: 'json_schema', schema };
    const whole = (await collect(engine.generate(request('a', structure)))).tokens;
    const answered = whole.slice(0, 7);
    const rest = await collect(engine.generate(request('b', structure, { answered })));
    expect([...answered, ...rest.tokens]).toEqual(whole);
  });

  it('with a structure nobody can compile is rejected with the reason, and the others go on', async () => {
    const engine = await load();
    const good = collect(engine.generate(request('a', { type: 'json_object' }, { maxTokens: 60 })));
    const { finished } = await collect(engine.generate(request('b', { type: 'regex', pattern: '([a-z' })));
    expect(finished).toMatchObject({ reason: 'rejected', rejection: 'invalid', error: /structure.*Unclosed/ });
    expect(['length', 'stop']).toContain((await good).finished.reason);
    expect(await engine.checkStructure({ type: 'regex', pattern: '(' })).toMatchObject({ ok: false });
    expect(await engine.checkStructure({ type: 'json_object' })).toEqual({ ok: true });
  });

  it('fails with the reason when no token fits', async () => {
    const engine = await load();
    const { finished } = await collect(engine.generate(request('a', { type: 'choice', choices: ['abé'] })));
    expect(finished).toMatchObject({ reason: 'failed', error: /no token of the model fits/, completionTokens: 2 });
  });

  it('needs the vocabulary, and says so', async () => {
    const engine = await load({ vocabulary: undefined });
    const { finished } = await collect(engine.generate(request('a', { type: 'json_object' })));
    expect(finished).toMatchObject({ reason: 'rejected', error: /vocabulary/ });
  });

  it('can be cancelled while its structure is compiled, and ends when the engine closes', async () => {
    const engine = await load();
    const abort = new AbortController();
    const slow = (id: string) => request(id, { type: 'regex', pattern: `(${id}[a-z]{1,40}){1,40}` });
    const cancelled = collect(engine.generate(slow('x'), { signal: abort.signal }));
    abort.abort();
    expect((await cancelled).finished.reason).toBe('cancelled');
    const closed = collect(engine.generate(slow('y')));
    await engine.close();
    expect((await closed).finished.reason).toBe('cancelled');
  });
});

describe('a healed prompt', () => {
  const pieces = alphabet.slice(0, END).map((piece, id) => (id === 20 ? 'ab' : id === 21 ? 'abc' : piece));
  const words = vocabularyOf({ model: { vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])) } });
  const ask = (id: string, promptIds: number[], more: Partial<GenerateRequest> = {}): GenerateRequest => ({
    ...request(id, { type: 'json_object' }),
    structure: undefined,
    promptIds,
    maxTokens: 12,
    healPrompt: true,
    ...more,
  });

  it('has its last token drawn again, as one that begins with its text', async () => {
    const engine = await load({ vocabulary: words });
    const firstOf = async (id: string, favourite: number) => {
      const sampling = { temperature: 0, logitBias: { [favourite]: 100 } };
      const { started, tokens } = await collect(engine.generate(ask(id, [3, 1, 4, 20], { sampling })));
      expect(started).toMatchObject({ healedToken: 20, promptTokens: 3 });
      return tokens[0];
    };
    expect(await firstOf('a', 21)).toBe(21);
    expect(await firstOf('b', 20)).toBe(20);
    expect([20, 21]).toContain(await firstOf('c', 5)); // which does not begin so
  });

  it('is left alone where nothing else begins so, and goes on as it would have', async () => {
    const engine = await load({ vocabulary: words });
    const healed = await collect(engine.generate(ask('a', [3, 1, 21])));
    const plain = await collect(engine.generate(ask('b', [3, 1, 21], { healPrompt: false })));
    expect(healed.started).not.toHaveProperty('healedToken');
    expect(healed.tokens).toEqual(plain.tokens);
  });
});

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

describe('the bundled model in its own process', () => {
  it('checks structures ahead and answers inside them, behind the space its tokenizer drops', async () => {
    const host = await EngineHost.start({ model: 'models/attune-mini', slots: 2, threads: 1, spinning: false });
    try {
      expect(await host.checkStructure({ type: 'json_schema', schema })).toEqual({ ok: true });
      const refused = await host.checkStructure({ type: 'grammar', ebnf: 'root ::= nothing' });
      expect(refused).toMatchObject({ ok: false, reason: expect.stringMatching(/nothing/) });
      const tokenizer = await Tokenizer.fromFolder('models/attune-mini');
      const promptIds = tokenizer.encodeChat([{ role: 'user', content: 'Tell me of a pet.' }], {
        addGenerationPrompt: true,
      });
      const ask = request('a', { type: 'json_schema', schema }, { promptIds, stopIds: tokenizer.eosIds });
      const { tokens, finished } = await collect(host.generate(ask));
      expect(finished.reason).toBe('stop');
      expect(tokenizer.decode(tokens)).toMatch(/^\{"kind": "(cat|dog)", "age": \d{1,2}\}$/);
    } finally {
      await host.close();
    }
  });
});
