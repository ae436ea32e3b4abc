import type { IdempotencyRepository, KeyState } from '@attune/persistence';
import { createLogger, NotFoundError } from '@attune/platform';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Caller } from '../auth/caller.js';
import type { GatewayInstance } from '../core/gateway-instance.js';
import { OwedWrites } from '../core/owed-writes.js';
import { IdempotentRequests, type Claim } from './idempotent-requests.js';

const caller = { userId: 'user_1' } as Caller;
const sent = { key: 'key_1', requestHash: 'a' };
const away = new Error('the database is away');

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

  it('makes a thing once, and another when that is gone', async () => {
    const { keys, requests } = setUp();
    const made: string[] = [];
    const make = async () => ({ id: `thing_${made.push('x')}` });
    const find = vi.fn(async (id: string) => ({ id }));
    const once = () => requests.once(caller, { key: 'k', body: { a: 1 } }, make, find);
    expect(await once()).toEqual({ id: 'thing_1' });
    const { requestHash } = keys.claim.mock.calls[0][0];
    keys.claim.mockResolvedValue({ kind: 'answered', requestHash, answerIds: ['thing_1'] });
    expect(await once()).toEqual({ id: 'thing_1' });
    find.mockRejectedValue(new NotFoundError('gone'));
    expect(await once()).toEqual({ id: 'thing_2' });
    expect(keys.settle.mock.calls.map((call) => call[2])).toEqual([['thing_1'], ['thing_2']]);
    expect(keys.release).not.toHaveBeenCalled();
  });
});
