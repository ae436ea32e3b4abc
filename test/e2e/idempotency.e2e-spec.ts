import { IdempotencyRepository, InstanceRepository } from '@attune/persistence';
import { createId } from '@attune/platform';
import { beforeAll, describe, expect, it } from 'vitest';
import { createAuthor } from '../support/rows.js';
import { useTestDatabase } from '../support/use-database.js';

describe('idempotency keys', () => {
  const { db } = useTestDatabase();
  let keys: IdempotencyRepository;
  let userId: string;
  beforeAll(async () => {
    keys = new IdempotencyRepository(db());
    userId = (await createAuthor(db())).user.id;
    await new InstanceRepository(db()).beat('gw_alive');
    await new InstanceRepository(db()).beat('gw_other');
  });

  const request = () => ({ userId, key: createId('req'), requestHash: 'a' });
  const by = (instanceId: string) => ({ id: createId('claim'), instanceId });

  it('go to one of those who ask at once, and to nobody else until they are given back', async () => {
    const one = request();
    const claims = ['gw_alive', 'gw_other', 'gw_alive'].map(by);
    const states = await Promise.all(claims.map((claim) => keys.claim(one, claim, true)));
    expect(states.map(({ kind }) => kind).toSorted()).toEqual(['claimed', 'running', 'running']);
    for (const { id } of claims) await keys.release(one, id);
    expect(await keys.claim({ ...one, requestHash: 'b' }, by('gw_alive'), true)).toEqual({ kind: 'claimed' });
  });

  it('stand for answers from then on, whatever their gateway does', async () => {
    const one = request();
    const gone = by('gw_gone');
    await keys.claim(one, gone, true);
    await keys.settle(one, gone.id, ['x', 'y']);
    await keys.release(one, gone.id);
    expect(await keys.claim({ ...one, requestHash: 'b' }, by('gw_alive'), true)).toEqual({
      kind: 'answered',
      requestHash: 'a',
      answerIds: ['x', 'y'],
    });
    expect(await keys.claimAgain(one, by('gw_alive'), ['x'])).toBe(false);
    const taken = await Promise.all([1, 2].map(() => keys.claimAgain(one, by('gw_alive'), ['x', 'y'])));
    expect(taken.toSorted()).toEqual([false, true]);
  });

  it('are free when the gateway that was answering has ended, and no longer its to settle', async () => {
    const one = request();
    const gone = by('gw_gone');
    await keys.claim(one, gone, true);
    expect(await keys.claim(one, by('gw_gone'), true)).toMatchObject({ kind: 'running' });
    expect(await keys.claim(one, by('gw_alive'), false)).toMatchObject({ kind: 'running' });
    expect(await keys.claim(one, by('gw_alive'), true)).toEqual({ kind: 'claimed' });
    await keys.settle(one, gone.id, ['late']);
    await keys.release(one, gone.id);
    expect(await keys.claim(one, by('gw_other'), true)).toMatchObject({ kind: 'running' });
  });

  it('are not touched by the late end of an earlier claim, the same gateway’s neither', async () => {
    const one = request();
    const [early, later, again] = [by('gw_alive'), by('gw_alive'), by('gw_alive')];
    await keys.claim(one, early, true);
    await keys.release(one, early.id);
    await keys.claim(one, later, true);
    await keys.settle(one, early.id, ['late']);
    await keys.release(one, early.id);
    expect(await keys.claim(one, again, true)).toMatchObject({ kind: 'running' });
    await keys.settle(one, later.id, ['x']);
    expect(await keys.claimAgain(one, again, ['x'])).toBe(true);
    await keys.settle(one, later.id, ['late']);
    await keys.release(one, later.id);
    await keys.settle(one, again.id, ['y']);
    expect(await keys.claim(one, by('gw_other'), true)).toMatchObject({ kind: 'answered', answerIds: ['y'] });
  });
});
