import { describe, expect, it } from 'vitest';
import { holding, makeOfParts, releaseAll } from './holding.js';

function parts() {
  const released: string[] = [];
  const part = (name: string, failure?: string) => ({
    release: () => {
      released.push(name);
      if (failure) throw new Error(failure);
    },
  });
  return { released, part };
}

describe('what is held', () => {
  it('is all released, and the first failure told, be it of the work or of a release', async () => {
    const { released, part } = parts();
    const held = [part('a', 'a is stuck'), part('b'), part('c', 'c is stuck')];
    await expect(holding(held, () => Promise.reject(new Error('the work failed')))).rejects.toThrow('the work failed');
    expect(released).toEqual(['a', 'b', 'c']);
    await expect(releaseAll(held)).rejects.toThrow('a is stuck');
    expect(released).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
    expect(await holding([part('d')], async () => 4)).toBe(4);
  });

  it('is released when it was to become part of something that could not be made', async () => {
    const { released, part } = parts();
    const made = makeOfParts(async (keep) => {
      keep(part('a', 'a is stuck'));
      keep(part('b'));
      throw new Error('there is no c');
    });
    await expect(made).rejects.toThrow('there is no c');
    expect(released).toEqual(['b', 'a']);
    expect(await makeOfParts(async (keep) => keep(part('d')))).toBeDefined();
    expect(released).toEqual(['b', 'a']);
  });
});
