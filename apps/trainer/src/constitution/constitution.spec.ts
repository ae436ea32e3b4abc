import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ChatMessage } from '@attune/contracts';
import { InvalidRequestError, UnavailableError } from '@attune/platform';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labelPairs, numMixed } from './ai-preferences.js';
import { reviseAnswers } from './critique-revision.js';
import { defaultConstitution } from './default-constitution.js';
import { EndpointJudge } from './endpoint-judge.js';
import type { Judge } from './judge.js';
import { loadConstitution } from './principle.js';

const ask = (content: string): ChatMessage[] => [{ role: 'user', content }];
const last = (messages: readonly ChatMessage[]) => messages.at(-1)!.content;

/** Prefers the shorter answer by so many nats, leans towards A by so many more, and writes what `reply` says. */
function judgeOf(taste: number, lean: number, reply: (asked: readonly ChatMessage[]) => string = last): Judge {
  return {
    answer: async (conversations) => conversations.map(reply),
    letterLogProbs: async (conversations) =>
      conversations.map((messages) => {
        const [, a, b] = /\(A\) (.*)\n\n\(B\) (.*)\n\n/s.exec(last(messages))!;
        return [lean + (a!.length < b!.length ? taste : 0), b!.length < a!.length ? taste : 0];
      }),
  };
}

describe('a constitution', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'attune-constitution-'));
    await writeFile(
      path.join(folder, 'rules.md'),
      '# Ours\n\nSome words.\n\n- Answer in one sentence.\n2. Never swear.\n',
    );
    await writeFile(path.join(folder, 'rules.json'), JSON.stringify(defaultConstitution.slice(0, 2)));
    await writeFile(path.join(folder, 'bad.json'), '[{"name":"x"}]');
    await writeFile(path.join(folder, 'empty.md'), 'nothing');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is the default one, a JSON list, or the list items of a Markdown file', async () => {
    expect(await loadConstitution('default', folder)).toBe(defaultConstitution);
    expect(await loadConstitution('rules.json', folder)).toEqual(defaultConstitution.slice(0, 2));
    const rules = await loadConstitution('rules.md', folder);
    expect(rules.map(({ choice }) => choice)).toEqual([
      'The rule is: Answer in one sentence. Which answer keeps to it better?',
      'The rule is: Never swear. Which answer keeps to it better?',
    ]);
  });
  it.each(['bad.json', 'empty.md', 'gone.md', '../secret.json'])('says what is wrong with %s', async (name) => {
    await expect(loadConstitution(name, folder)).rejects.toThrow(InvalidRequestError);
  });
});

describe('critique and revision', () => {
  const plan = { prompts: [ask('Hi'), ask('Bye')], principles: defaultConstitution, rounds: 2, seed: 1 };

  it('shows the judge its answer, then its critique, and keeps the last revision', async () => {
    const seen: ChatMessage[][] = [];
    const judge = judgeOf(0, 0, (messages) => {
      seen.push([...messages]);
      return `reply ${messages.length}`;
    });
    const examples = await reviseAnswers(judge, plan);
    expect(examples).toEqual(
      plan.prompts.map(([prompt]) => ({
        kind: 'conversation',
        messages: [prompt, { role: 'assistant', content: 'reply 5' }],
      })),
    );
    expect(seen.map(({ length }) => length)).toEqual([1, 1, 3, 3, 5, 5, 3, 3, 5, 5]);
    const [, answer, criticise, critique] = seen[4]!;
    expect([answer!.content, critique!.content]).toEqual(['reply 1', 'reply 3']);
    expect(defaultConstitution.some((one) => criticise!.content.startsWith(one.critique))).toBe(true);
  });
  it('teaches the revision alone, not the answers before it', async () => {
    const prompts = [[...ask('Hi'), { role: 'assistant' as const, content: 'Hello' }, ...ask('And?')]];
    const judge = judgeOf(0, 0, (messages) => `reply ${messages.length}`);
    expect(await reviseAnswers(judge, { ...plan, prompts })).toMatchObject([{ untrained: [1] }]);
  });
  it('leaves out what was not changed, or became nothing', async () => {
    expect(
      await reviseAnswers(
        judgeOf(0, 0, () => 'the same'),
        plan,
      ),
    ).toEqual([]);
    expect(
      await reviseAnswers(
        judgeOf(0, 0, (asked) => (asked.length === 5 ? ' ' : 'words')),
        plan,
      ),
    ).toEqual([]);
  });
});

describe('preferences of a judge', () => {
  const pairs = [
    { prompt: ask('Hi'), answers: ['a long answer', 'short'] as const },
    { prompt: ask('Bye'), answers: ['brief', 'a rather long one'] as const },
  ];

  it('follow its taste and not the order it was shown', async () => {
    for (const lean of [0, 5, -5]) {
      const labelled = await labelPairs(judgeOf(4, lean), pairs, defaultConstitution, 1);
      expect(labelled.map(({ example }) => example.chosen.content)).toEqual(['short', 'brief']);
      for (const { confidence } of labelled) expect(confidence).toBeGreaterThan(0.55);
    }
  });
  it('are left out where it has none, however much it leans towards a letter', async () => {
    expect(await labelPairs(judgeOf(0, 8), pairs, defaultConstitution, 1)).toEqual([]);
    const same = [{ prompt: ask('Hi'), answers: ['yes', 'yes '] as const }];
    expect(await labelPairs(judgeOf(4, 0), same, defaultConstitution, 1)).toEqual([]);
  });
  it('mix with people’s at the share that was asked for', () => {
    expect(numMixed(30, 100, 0.25)).toBe(10);
    expect(numMixed(30, 4, 0.25)).toBe(4);
    expect(numMixed(0, 7, 0.25)).toBe(7);
  });
});

describe('a judge at an endpoint', () => {
  let server: Server;
  let url: string;
  const bodies: Record<string, unknown>[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (part: Buffer) => (text += part.toString()));
      request.on('end', () => {
        const body = JSON.parse(text) as Record<string, unknown>;
        bodies.push(body);
        const alternatives = [
          { token: 'B', logprob: Math.log(0.6), bytes: null },
          { token: ' B', logprob: Math.log(0.1), bytes: null },
          { token: 'A', logprob: Math.log(0.2), bytes: null },
        ];
        const logprobs = body['logprobs'] ? { content: [{ ...alternatives[0], top_logprobs: alternatives }] } : null;
        const message = { role: 'assistant', content: body['logprobs'] ? 'B' : 'In my view, no.' };
        const choices = [{ index: 0, message, logprobs, finish_reason: 'stop' }];
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ id: 'x', object: 'chat.completion', created: 1, model: 'judge', choices }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('is asked for the likelihood of the letters, which may be written in several ways', async () => {
    const judge = new EndpointJudge({ judgeUrl: url, judgeModel: 'judge' });
    const [[a, b]] = (await judge.letterLogProbs([ask('A or B?')], ['A', 'B'])) as [[number, number]];
    expect(a).toBeCloseTo(Math.log(0.2), 6);
    expect(b).toBeCloseTo(Math.log(0.7), 6);
    expect(bodies.at(-1)).toMatchObject({ model: 'judge', logprobs: true, max_tokens: 1, messages: ask('A or B?') });
  });
  it('writes answers', async () => {
    const judge = new EndpointJudge({ judgeUrl: url, judgeModel: 'judge' });
    expect(await judge.answer([ask('Well?'), ask('And?')], 7)).toEqual(['In my view, no.', 'In my view, no.']);
  });
  it('is asked no longer once the job is stopped', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const judgeUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`;
    const stop = new AbortController();
    const judge = new EndpointJudge({ judgeUrl, judgeModel: 'judge' }, stop.signal);
    const answers = judge.answer([ask('Well?'), ask('And?')], 7);
    setTimeout(() => stop.abort(), 50);
    await expect(answers).rejects.toThrow(UnavailableError);
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
  });
  it('needs its settings, and says so when nobody answers', async () => {
    expect(() => new EndpointJudge({ judgeUrl: url })).toThrow('JUDGE_MODEL');
    const nobody = new EndpointJudge({ judgeUrl: 'http://127.0.0.1:9/v1', judgeModel: 'judge' }, undefined, 0);
    await expect(nobody.answer([ask('Hello?')], 1)).rejects.toThrow(UnavailableError);
  });
});
