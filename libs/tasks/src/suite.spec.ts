import { describe, expect, it } from 'vitest';
import { promptKey } from './instances.js';
import { familyNamed } from './registry.js';
import { scoreFamily, scoreSuite, taskSuite } from './suite.js';

const chosen = [familyNamed('add'), familyNamed('json-object'), familyNamed('second-item')];

describe('taskSuite', () => {
  it('is the same for the same seed', () => {
    expect(JSON.stringify(taskSuite(5, 1, chosen))).toBe(JSON.stringify(taskSuite(5, 1, chosen)));
    expect(JSON.stringify(taskSuite(5, 1, chosen))).not.toBe(JSON.stringify(taskSuite(5, 2, chosen)));
  });
});

describe('scoreSuite', () => {
  const suite = taskSuite(8, 1, chosen);
  const answers = new Map(
    suite.groups.flatMap(({ examples }) => examples.map((e) => [promptKey(e.messages), e.answer])),
  );

  it('gives a model that knows every answer full marks and one that knows none nothing', async () => {
    const knowing = await scoreSuite(suite, async (messages) => answers.get(promptKey([...messages]))!);
    expect([knowing.seen, knowing.heldout]).toEqual([1, 1]);
    const silent = await scoreSuite(suite, async () => '');
    expect([silent.seen, silent.heldout]).toEqual([0, 0]);
  });

  it('counts per family and keeps the two splits apart', async () => {
    const score = await scoreSuite(suite, async (messages) => {
      const answer = answers.get(promptKey([...messages]))!;
      return /^\d+$/.test(answer) ? answer : 'wrong';
    });
    expect(score.perFamily.map(({ family, right, asked }) => [family, right, asked])).toEqual([
      ['add', 8, 8],
      ['json-object', 0, 8],
      ['second-item', 0, 8],
    ]);
    expect([score.seen, score.heldout]).toEqual([0.5, 0]);
  });

  it('reports a few misses with what was wanted', async () => {
    const { family, examples } = suite.groups[0];
    const score = await scoreFamily(family, examples, async () => 'seven');
    expect(score.misses).toHaveLength(3);
    expect(score.misses[0]).toEqual({
      prompt: examples[0].messages[0].content,
      wanted: examples[0].answer,
      got: 'seven',
    });
  });
});
