import type { OutputStructure } from '@attune/contracts';
import { collect, EngineHost } from '@attune/engine';
import { Tokenizer } from '@attune/tokenizer';
import { describe, expect, it } from 'vitest';
import { END, request, textOf, useStructuredEngines } from './structured-engine.js';

const load = useStructuredEngines();
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
