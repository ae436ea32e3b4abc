import { graderConfig } from '@attune/contracts';
import { describe, expect, it } from 'vitest';
import { curate } from './curate.js';
import { toDataset } from './dataset.js';
import type { FileSource } from './file-rows.js';
import { readGradedRows } from './graded-rows.js';

const check = { type: 'string_check', name: 'same', operation: 'eq', input: '{{sample.output_text}}' } as const;
const grader = graderConfig.parse({
  kind: 'rows',
  grader: { ...check, reference: '{{item.answer}}' },
  file_id: 'file-a',
  user_id: 'user_a',
});
const fileOf = (rows: readonly object[]): FileSource => ({
  read: async () => ({
    name: 'rows.jsonl',
    content: new TextEncoder().encode(rows.map((row) => JSON.stringify(row)).join('\n')),
  }),
});
const ask = (content: string, answer: string) => ({ messages: [{ role: 'user', content }], answer });
const rules = {
  maxRowsPerUser: 1,
  heldoutShare: 0.5,
  maxTokens: 40,
  countTokens: (messages: readonly { content: string }[]) => messages.map(({ content }) => content).join('').length,
  suiteQuestions: ['Which is largest?'],
};

describe('graded rows', () => {
  it('go through the filters of all rows: no personal data, no twins, no questions of the gate, none too long', async () => {
    const supplied = await readGradedRows(
      fileOf([
        ask('Mail ann@example.org', 'to ann@example.org'),
        ask('Add 1 and 2', '3'),
        ask('Add 1 and 2', '3'),
        ask('Add 1 and 2', 'three'),
        ask('which is largest', '9'),
        ask('x'.repeat(41), 'long'),
      ]),
      grader,
    );
    const { rows, dropped } = curate([], rules, supplied);
    expect(rows.map(({ kind, split, prompt, item }) => [kind, split, prompt[0]!.content, item])).toEqual([
      ['graded', 'train', 'Mail [email]', { answer: 'to [email]' }],
      ['graded', 'train', 'Add 1 and 2', { answer: '3' }],
      ['graded', 'train', 'Add 1 and 2', { answer: 'three' }],
    ]);
    expect(dropped).toMatchObject({ duplicates: 1, 'task suite': 1, length: 1 });
  });
  it('are read back for the grader, and are no prompts of other methods', async () => {
    const { rows } = curate([], rules, await readGradedRows(fileOf([ask('Add 1 and 2', '3')]), grader));
    const { train } = toDataset(rows);
    expect(train.graded).toEqual([{ messages: [{ role: 'user', content: 'Add 1 and 2' }], item: { answer: '3' } }]);
    expect(train.prompts).toEqual([]);
  });
  it('name the line that is none', async () => {
    await expect(readGradedRows(fileOf([ask('a', 'b'), { answer: 'c' }]), grader)).rejects.toThrow(
      'rows.jsonl, line 2: `messages` is wrong',
    );
    const answered = { messages: [{ role: 'assistant', content: 'Hi' }] };
    await expect(readGradedRows(fileOf([answered]), grader)).rejects.toThrow('line 1 ends with an answer');
  });
});
