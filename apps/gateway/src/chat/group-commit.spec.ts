import { describe, expect, it } from 'vitest';
import { GroupCommit } from './group-commit.js';

function setUp(lanes: number) {
  const batches: number[][] = [];
  const doors: (() => void)[] = [];
  const commit = new GroupCommit<number, string>(async (items) => {
    batches.push(items);
    await new Promise<void>((resolve) => doors.push(resolve));
    if (items.includes(13)) throw new Error('13');
    return items.map(String);
  }, lanes);
  return { commit, batches, doors };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('writes in groups', () => {
  it('go at once alone, and together while another is under way', async () => {
    const { commit, batches, doors } = setUp(1);
    const first = commit.add(1);
    await turn();
    const others = Promise.all([commit.add(2), commit.add(3)]);
    await turn();
    expect(batches).toEqual([[1]]);
    doors.shift()!();
    expect(await first).toBe('1');
    await turn();
    expect(batches).toEqual([[1], [2, 3]]);
    doors.shift()!();
    expect(await others).toEqual(['2', '3']);
  });

  it('of one crowd are one', async () => {
    const { commit, batches, doors } = setUp(2);
    const crowd = Promise.all([1, 2, 3].map((item) => commit.add(item)));
    await turn();
    doors.forEach((open) => open());
    expect(await crowd).toEqual(['1', '2', '3']);
    expect(batches).toEqual([[1, 2, 3]]);
  });

  it('fail alone: neighbours are written all the same', async () => {
    const { commit, doors } = setUp(1);
    const crowd = Promise.allSettled([12, 13, 14].map((item) => commit.add(item)));
    await turn();
    doors.shift()!();
    await turn();
    doors.forEach((open) => open());
    expect((await crowd).map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });
});
