import { IdempotencyRepository, InstanceRepository } from '@attune/persistence';
import { createId } from '@attune/platform';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { createAuthor } from '../support/rows.js';

describe('idempotency keys', () => {
  let database: TestDatabase;
  let keys: IdempotencyRepository;
  let userId: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    keys = new IdempotencyRepository(database.dataSource);
    userId = (await createAuthor(database.dataSource)).user.id;
    await new InstanceRepository(database.dataSource).beat('gw_alive');
    await new InstanceRepository(database.dataSource).beat('gw_other');
  });
  afterAll(() => database.close());

  const request = () => ({ userId, key: createId('req'), requestHash: 'a' });

  it('go to one of those who ask at once, and to nobody else until they are given back', async () => {
    const one = request();
    const states = await Promise.all(
      ['gw_alive', 'gw_other', 'gw_alive'].map((gateway) => keys.claim(one, gateway, true)),
    );
    expect(states.map(({ kind }) => kind).toSorted()).toEqual(['claimed', 'running', 'running']);
    await keys.release(one, 'gw_alive');
    await keys.release(one, 'gw_other');
    expect(await keys.claim({ ...one, requestHash: 'b' }, 'gw_alive', true)).toEqual({ kind: 'claimed' });
  });

  it('stand for answers from then on, whatever their gateway does', async () => {
    const one = request();
    await keys.claim(one, 'gw_gone', true);
    await keys.settle(one, 'gw_gone', ['x', 'y']);
    await keys.release(one, 'gw_gone');
    expect(await keys.claim({ ...one, requestHash: 'b' }, 'gw_alive', true)).toEqual({
      kind: 'answered',
      requestHash: 'a',
      answerIds: ['x', 'y'],
    });
    expect(await keys.claimAgain(one, 'gw_alive', ['x'])).toBe(false);
    const taken = await Promise.all([1, 2].map(() => keys.claimAgain(one, 'gw_alive', ['x', 'y'])));
    expect(taken.toSorted()).toEqual([false, true]);
  });

  it('are free when the gateway that was answering has ended, and no longer its to settle', async () => {
    const one = request();
    await keys.claim(one, 'gw_gone', true);
    expect(await keys.claim(one, 'gw_gone', true)).toMatchObject({ kind: 'running' });
    expect(await keys.claim(one, 'gw_alive', false)).toMatchObject({ kind: 'running' });
    expect(await keys.claim(one, 'gw_alive', true)).toEqual({ kind: 'claimed' });
    await keys.settle(one, 'gw_gone', ['late']);
    await keys.release(one, 'gw_gone');
    expect(await keys.claim(one, 'gw_other', true)).toMatchObject({ kind: 'running' });
  });
});
