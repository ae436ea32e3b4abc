import type { IdempotencyRepository, KeyState } from '@attune/persistence';
import { createLogger } from '@attune/platform';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Caller } from '../auth/caller.js';
import type { GatewayInstance } from '../core/gateway-instance.js';
import { IdempotentRequests, type Claim } from './idempotent-requests.js';

const caller = { userId: 'user_1' } as Caller;
const sent = { key: 'key_1', requestHash: 'a' };
const away = new Error('the database is away');

function setUp() {
  const keys = {
    claim: vi.fn<IdempotencyRepository['claim']>(async (): Promise<KeyState> => ({ kind: 'claimed' })),
    settle: vi.fn<IdempotencyRepository['settle']>(async () => undefined),
    release: vi.fn<IdempotencyRepository['release']>(async () => undefined),
  };
  const requests = new IdempotentRequests(
    createLogger('test', 'silent'),
    { id: 'gw_1', canJudge: true } as GatewayInstance,
    keys as unknown as IdempotencyRepository,
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
});
