import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { DataExample } from './example.js';
import { formatNamed } from './formats/index.js';
import { readDataset, readRow } from './read-dataset.js';
import { toRows } from './to-rows.js';
import { writeDataset } from './write-dataset.js';

const folder = fileURLToPath(new URL('../../../../../shared/data/', import.meta.url));
const present = existsSync(folder);
const load = (name: string) => readDataset(readFileSync(path.join(folder, name)), name);
const bytes = (text: string) => new TextEncoder().encode(text);
const reread = (examples: readonly DataExample[], format: string) =>
  readDataset(bytes(writeDataset(examples, formatNamed(format))), format).examples;

/** File, number of examples, its own format, and every other one that can hold all of it. */
const files: [name: string, count: number, format: string, others: string[]][] = [
  [
    'instruction/llms_from_scratch_instruction_data.json.gz',
    1100,
    'alpaca',
    ['openai-chat', 'sharegpt', 'trl-prompt-completion'],
  ],
  ['instruction/self_instruct_seed_tasks.jsonl.gz', 175, 'self-instruct', ['openai-chat', 'alpaca']],
  ['instruction/p3_t0_subset.jsonl.gz', 19_651, 'p3', []],
  ['instruction/llamafactory_glaive_toolcall_en_demo.json.gz', 300, 'sharegpt', ['openai-chat']],
  ['instruction/llamafactory_identity.json', 91, 'alpaca', ['openai-chat', 'sharegpt']],
  ['instruction/gsm8k_train.jsonl.gz', 7473, 'gsm8k', []],
  [
    'preference/llms_from_scratch_preference.json.gz',
    1100,
    'alpaca',
    ['openai-preference', 'trl-preference', 'sharegpt'],
  ],
  ['preference/llamafactory_dpo_en_demo.json.gz', 300, 'sharegpt', ['openai-preference', 'trl-preference']],
  ['preference/llamafactory_kto_en_demo.json.gz', 300, 'judged-conversation', ['trl-unpaired']],
];

describe.skipIf(!present)(`real files (${present ? 'at ../shared/data' : 'skipped: ../shared/data is absent'})`, () => {
  it.each(files)('%s: %i examples, and the same ones after writing and reading', (name, count, format, others) => {
    const { examples, formats } = load(name);
    expect(Object.keys(formats)).toEqual([format]);
    expect(examples.length).toBeGreaterThanOrEqual(count);
    expect(reread(examples, format)).toEqual(examples);
    // Another format may have no word for the task a row belongs to.
    const untasked = examples.map((example): DataExample => ({ ...example, task: undefined }));
    for (const other of others) expect(reread(untasked, other), other).toEqual(untasked);
  });

  it('makes training rows of every example', () => {
    const { examples } = load('instruction/llamafactory_glaive_toolcall_en_demo.json.gz');
    const rows = examples.flatMap((example, i) => toRows(example, { origin: 'file', name: 'glaive' }, i));
    expect(rows.length).toBeGreaterThan(examples.length);
    const calls = rows.filter(({ chosen }) => chosen.startsWith('<tool_call>'));
    expect(calls.length).toBeGreaterThan(100);
    for (const { chosen } of calls) {
      const inside = /^<tool_call>\n(.*)\n<\/tool_call>$/s.exec(chosen)![1]!;
      expect(JSON.parse(inside)).toMatchObject({ name: expect.any(String), arguments: expect.anything() });
    }
    expect(rows.every(({ prompt }) => prompt.every(({ role }) => role !== 'tool'))).toBe(true);
  });
});

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });

describe('formats', () => {
  it('OpenAI chat keeps tools, calls and turns that are not learnt', () => {
    const tool = { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } };
    const call = { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '{"city":"Bern"}' } };
    const row = {
      messages: [
        user('Hi'),
        { ...assistant('Hm.'), weight: 0 },
        user('Weather?'),
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'call_a', content: 'rain' },
        { ...assistant('Rain.'), weight: 1 },
      ],
      tools: [{ type: 'function', function: tool }],
    };
    const { format, found } = readRow(row);
    expect(format).toBe('openai-chat');
    expect(found[0]).toMatchObject({ kind: 'conversation', untrained: [1], tools: [tool] });
    expect(reread(found, 'openai-chat')).toEqual(found);
    const rows = toRows(found[0]!, { origin: 'file', name: 'x' }, 0);
    expect(rows.map(({ chosen }) => chosen)).toEqual([
      '<tool_call>\n{"name": "weather", "arguments": {"city":"Bern"}}\n</tool_call>',
      'Rain.',
    ]);
    expect(rows[1]!.prompt[0]).toMatchObject({ role: 'system', content: expect.stringContaining('"name":"weather"') });
    expect(rows[1]!.prompt.at(-1)).toEqual(user('<tool_response>\nrain\n</tool_response>'));
  });

  it.each([
    [
      'openai-preference',
      {
        input: { messages: [user('Hi')] },
        preferred_output: [assistant('Hello')],
        non_preferred_output: [assistant('Go')],
      },
    ],
    ['trl-preference', { prompt: 'Hi', chosen: 'Hello', rejected: 'Go' }],
    ['trl-preference', { chosen: [user('Hi'), assistant('Hello')], rejected: [user('Hi'), assistant('Go')] }],
    ['alpaca', { instruction: 'Hi', chosen: 'Hello', rejected: 'Go' }],
    [
      'sharegpt',
      {
        conversations: [{ from: 'human', value: 'Hi' }],
        chosen: { from: 'gpt', value: 'Hello' },
        rejected: { from: 'gpt', value: 'Go' },
      },
    ],
  ])('%s says the same preference', (format, row) => {
    const { format: seen, found } = readRow(row);
    expect(seen).toBe(format);
    expect(found).toEqual([
      { kind: 'preference', prompt: [user('Hi')], chosen: assistant('Hello'), rejected: assistant('Go') },
    ]);
  });

  it('tells a thumb from a completion by its label alone', () => {
    expect(readRow({ prompt: 'Hi', completion: 'Hello' }).format).toBe('trl-prompt-completion');
    expect(readRow({ prompt: 'Hi', completion: 'Hello', label: false })).toEqual({
      format: 'trl-unpaired',
      found: [{ kind: 'thumb', prompt: [user('Hi')], answer: assistant('Hello'), liked: false }],
    });
  });

  it('learns from a TRL completion only, not from what the assistant said in the prompt', () => {
    const { found } = readRow({ prompt: [user('a'), assistant('b'), user('c')], completion: [assistant('d')] });
    expect(toRows(found[0]!, { origin: 'file', name: 'x' }, 3).map(({ chosen }) => chosen)).toEqual(['d']);
    expect(reread(found, 'trl-prompt-completion')).toEqual(found);
  });

  it('reads a ranking as preferences of neighbours', () => {
    const { found } = readRow({ prompt: 'Hi', answers: ['a', 'b', 'c'] });
    const rows = toRows(found[0]!, { origin: 'file', name: 'x' }, 0);
    expect(rows.map(({ chosen, rejected }) => [chosen, rejected])).toEqual([
      ['a', 'b'],
      ['b', 'c'],
    ]);
  });
});

describe('reading a file', () => {
  it('takes JSON lines and lists, plain or gzipped', () => {
    const row = '{"prompt":"Hi","completion":"Hello"}';
    for (const content of [`${row}\n\n${row}\n`, `[${row},\n${row}]`])
      for (const packed of [bytes(content), gzipSync(content)])
        expect(readDataset(packed, 'x').formats).toEqual({ 'trl-prompt-completion': 2 });
  });
  it('names the lines that are wrong, and what is wrong with them', () => {
    const lines = ['{"prompt":"Hi","completion":"Hello"}', '{"prompt":"Hi","completion":7}', '{"colour":"red"}'];
    const read = () => readDataset(bytes(lines.join('\n')), 'rows.jsonl');
    expect(read).toThrow(/rows\.jsonl has rows that cannot be read:\n {2}line 2: read as trl-prompt-completion/);
    expect(read).toThrow(/line 3: its keys are those of no format/);
    expect(() => readDataset(bytes('{"a":1}\nnonsense'), 'x')).toThrow('x, line 2 is no JSON');
    expect(() => readDataset(bytes('\n'), 'empty.jsonl')).toThrow('empty.jsonl has no rows');
  });
  it('refuses to write what a format has no words for', () => {
    const { found } = readRow({ prompt: 'Hi', completion: 'Hello', label: true });
    expect(() => writeDataset(found, formatNamed('openai-chat'))).toThrow(
      'Example 1 is a thumb that openai-chat has no words for',
    );
  });
});
