import type { IdempotencyRepository, KeyState } from '@attune/persistence';
import { createLogger, InvalidRequestError, NotFoundError } from '@attune/platform';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Caller } from '../auth/caller.js';
import type { GatewayInstance } from '../core/gateway-instance.js';
import { OwedWrites } from '../core/owed-writes.js';
import { IdempotentRequests, type Claim } from './idempotent-requests.js';

const caller = { userId: 'user_1' } as Caller;
const sent = { key: 'key_1', requestHash: 'a' };
const away = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', syscall: 'connect' });

function setUp() {
  const logger = createLogger('test', 'silent');
  const keys = {
    claim: vi.fn<IdempotencyRepository['claim']>(async (): Promise<KeyState> => ({ kind: 'claimed' })),
    settle: vi.fn<IdempotencyRepository['settle']>(async () => undefined),
    claimAgain: vi.fn<IdempotencyRepository['claimAgain']>(async () => true),
    release: vi.fn<IdempotencyRepository['release']>(async () => undefined),
  };
  const requests = new IdempotentRequests(
    logger,
    { id: 'gw_1', canJudge: true } as GatewayInstance,
    keys as unknown as IdempotencyRepository,
    new OwedWrites(logger),
  );
  const claim = async () => (await requests.claim(caller, sent, async () => null)) as Claim;
  return { keys, requests, claim };
}

describe('a keyed request', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('keeps its key when it has answers, also while the database does not take them', async () => {
    const { keys, claim } = setUp();
    const claimed = await claim();
    keys.settle.mockRejectedValueOnce(away);
    await claimed.settle(['x']);
    await claimed.release();
    await vi.advanceTimersByTimeAsync(200);
    expect(keys.settle).toHaveBeenCalledTimes(2);
    expect(keys.release).not.toHaveBeenCalled();
  });

  it('gives its key back when it has none', async () => {
    const { keys, claim } = setUp();
    await (await claim()).release();
    expect(keys.release).toHaveBeenCalledTimes(1);
  });

  it('gives back exactly the claim whose answer was lost, when the database is there again', async () => {
    const { keys, claim } = setUp();
    keys.claim.mockRejectedValueOnce(away);
    keys.release.mockRejectedValueOnce(away);
    await expect(claim()).rejects.toThrow(away);
    await vi.advanceTimersByTimeAsync(1_200);
    const { id } = keys.claim.mock.calls[0][1];
    expect(keys.release.mock.calls.map((call) => call[1])).toEqual([id, id]);
    const again = await claim();
    await again.settle(['x']);
    expect(keys.settle.mock.calls[0][1]).not.toBe(id);
  });

  it('gives back a key it took over from answers that are gone, when that was not heard', async () => {
    const { keys, claim } = setUp();
    keys.claim.mockResolvedValue({ kind: 'answered', requestHash: sent.requestHash, answerIds: ['gone'] });
    keys.claimAgain.mockRejectedValueOnce(away);
    await expect(claim()).rejects.toThrow(away);
    await vi.advanceTimersByTimeAsync(200);
    expect(keys.release.mock.calls.map((call) => call[1])).toEqual([keys.claimAgain.mock.calls[0][1].id]);
  });

  it('is settled however long the database is away', async () => {
    const { keys, claim } = setUp();
    const claimed = await claim();
    keys.settle.mockRejectedValue(away);
    await claimed.settle(['x']);
    await vi.advanceTimersByTimeAsync(3_600_000);
    keys.settle.mockReset();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(keys.settle).toHaveBeenCalledTimes(1);
  });

  it('gives no claim back that nobody can have heard', async () => {
    const { keys, claim } = setUp();
    keys.claim.mockRejectedValueOnce(refused);
    await expect(claim()).rejects.toThrow(refused);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(keys.release).not.toHaveBeenCalled();
  });

  function setUpThings() {
    const { keys, requests } = setUp();
    const things = new Set<string>();
    const make = vi.fn(async (id: string) => {
      things.add(id);
      return { id };
    });
    const find = async (id: string) => {
      if (!things.has(id)) throw new NotFoundError('gone');
      return { id };
    };
    const once = () => requests.once(caller, { key: 'k', body: { a: 1 } }, { prefix: 'batch', make, find });
    /** As the database would after what was settled last. */
    const remember = () => {
      const { requestHash } = keys.claim.mock.calls[0][0];
      const answerIds = keys.settle.mock.calls.at(-1)![2];
      keys.claim.mockResolvedValue({ kind: 'answered', requestHash, answerIds });
    };
    return { keys, once, make, things, remember };
  }

  it('makes a thing once, and another when that is gone', async () => {
    const { keys, once, things, remember } = setUpThings();
    const first = await once();
    remember();
    expect(await once()).toEqual(first);
    things.clear();
    const second = await once();
    expect([...things]).toEqual([second.id]);
    expect(second).not.toEqual(first);
    expect(keys.settle.mock.calls.map((call) => call[2])).toEqual([[first.id], [second.id]]);
    expect(keys.release).not.toHaveBeenCalled();
  });

  it.each([away, refused])('makes one thing when its making was not heard of (%s)', async (error) => {
    const { keys, once, make, things, remember } = setUpThings();
    make.mockImplementationOnce(async (id) => {
      things.add(id);
      throw error;
    });
    await expect(once()).rejects.toThrow(error);
    remember();
    expect([(await once()).id]).toEqual([...things]);
    expect(make).toHaveBeenCalledTimes(1);
    expect(keys.release).not.toHaveBeenCalled();
  });

  it('makes a thing that was not made when the database went away', async () => {
    const { once, make, things, remember } = setUpThings();
    make.mockRejectedValueOnce(away);
    await expect(once()).rejects.toThrow(away);
    remember();
    expect([(await once()).id]).toEqual([...things]);
  });

  it('gives its key back when a thing is refused', async () => {
    const { keys, once, make } = setUpThings();
    make.mockRejectedValueOnce(new InvalidRequestError('no'));
    await expect(once()).rejects.toThrow('no');
    expect(keys.release).toHaveBeenCalledTimes(1);
    expect(keys.settle).not.toHaveBeenCalled();
  });
});
