import { graderConfig } from '@attune/contracts';
import { InvalidRequestError, NotFoundError } from '@attune/platform';
import { heldoutFamilies, trainFamilies } from '@attune/tasks';
import { describe, expect, it } from 'vitest';
import { promptSource } from './graders.js';

const prompts = ['a', 'b', 'c'].map((content) => [{ role: 'user' as const, content }]);
const tasks = graderConfig.parse({ kind: 'tasks' });

describe('graders', () => {
  it('give full marks to the reference answer of a task alone', async () => {
    const family = trainFamilies.find(({ name }) => name.includes('sort'))!;
    const source = promptSource({ kind: 'tasks', families: [family.name] }, [], 7);
    const graded = source(0, 5);
    expect(await Promise.all(graded.map(({ grade }) => grade('nonsense no task asks for')))).toEqual([0, 0, 0, 0, 0]);
    expect(graded.every(({ messages }) => messages.at(-1)!.role === 'user')).toBe(true);
  });
  it('draw the same prompts for the same seed and round, others for another round', () => {
    const asked = (seed: number, round: number) =>
      promptSource(tasks, [], seed)(round, 4).map(({ messages }) => messages.at(-1)!.content);
    expect(asked(1, 2)).toEqual(asked(1, 2));
    expect(asked(1, 3)).not.toEqual(asked(1, 2));
  });
  it('try a pattern on the whole answer, round after round over the dataset’s prompts', async () => {
    const source = promptSource(graderConfig.parse({ kind: 'regex', pattern: 'out\\.$' }), prompts, 1);
    expect(await Promise.all(source(0, 3).map(({ grade }) => grade('Over and out.')))).toEqual([1, 1, 1]);
    expect(await source(0, 1)[0]!.grade('out. Over')).toBe(0);
    const asked = source(0, 3).map(({ messages }) => messages[0]!.content);
    expect(asked.toSorted()).toEqual(['a', 'b', 'c']);
  });
  it('give no score that hangs on the clock: a pattern that would try an answer for ever ends the run', async () => {
    const source = promptSource(graderConfig.parse({ kind: 'regex', pattern: '^(a+)+$' }), prompts, 1);
    const [{ grade }] = source(0, 1) as [ReturnType<typeof source>[number]];
    // Many milliseconds of backtracking are no reason to give up: on a busy machine any pattern may take that long.
    expect(await grade(`${'a'.repeat(24)}!`)).toBe(0);
    expect(await grade('aaa')).toBe(1);
    await expect(async () => grade(`${'a'.repeat(60)}!`)).rejects.toThrow('without a repeat inside a repeat');
  });
  it('pay answers to the rows of a file by what the rows say', async () => {
    const rows = ['Rome', 'Oslo'].map((answer) => ({ messages: prompts[0]!, item: { answer } }));
    const check = { type: 'string_check', name: 'same', operation: 'eq' } as const;
    const grader = { ...check, input: '{{sample.output_text}}', reference: '{{item.answer}}' };
    const config = graderConfig.parse({ kind: 'rows', grader, file_id: 'file-a', user_id: 'user_a' });
    const graded = promptSource(config, [], 1, rows)(0, 2);
    const scores = await Promise.all(graded.map(({ grade }) => grade('Rome')));
    expect(scores.toSorted()).toEqual([0, 1]);
    expect(() => promptSource(config, [], 1, [])).toThrow(InvalidRequestError);
  });
  it('refuse what cannot be graded, saying which', () => {
    expect(() => promptSource({ kind: 'tasks', families: [heldoutFamilies[0]!.name] }, [], 1)).toThrow('is held out');
    expect(() => promptSource({ kind: 'tasks', families: ['juggling'] }, [], 1)).toThrow(NotFoundError);
    expect(() => promptSource(graderConfig.parse({ kind: 'regex', pattern: '(' }), prompts, 1)).toThrow(
      'regular expression',
    );
    expect(() => promptSource(graderConfig.parse({ kind: 'regex', pattern: 'a' }), [], 1)).toThrow(InvalidRequestError);
  });
});
