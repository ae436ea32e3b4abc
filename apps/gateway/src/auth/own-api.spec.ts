import type { AccountRepository } from '@attune/persistence';
import type { HttpAdapterHost } from '@nestjs/core';
import { expect, it } from 'vitest';
import type { AuthService } from './auth.service.js';
import { OwnApi } from './own-api.js';

const whose = { userId: 'user', keyId: 'key' };
const failure = (status: number, code: string) => ({ status, body: { error: { code } } });
const good = { status: 200, body: { ok: true } };

/** An API that gives these answers one after the other, and the last one for ever. */
function apiOf(...answers: { status: number; body: unknown }[]) {
  let asked = 0;
  const inject = async () => {
    const { status, body } = answers[Math.min(asked++, answers.length - 1)];
    return { statusCode: status, headers: { 'x-request-id': 'r' }, json: () => body };
  };
  const host = { httpAdapter: { getInstance: () => ({ inject }) } } as unknown as HttpAdapterHost;
  const auth = { lend: () => ({ secret: 's', giveBack: () => undefined }) } as unknown as AuthService;
  const key = { revokedAt: null as Date | null };
  const accounts = { getUser: async () => ({}), getKey: async () => key } as unknown as AccountRepository;
  const never = new AbortController().signal;
  const post = (stopping = never, unwanted?: AbortSignal) =>
    new OwnApi(host, auth, accounts).postPatiently(whose, '/v1/x', {}, { stopping, unwanted });
  return { post, asked: () => asked, revoke: () => void (key.revokedAt = new Date()) };
}

it('asks again while there is no room, and gives what came then', async () => {
  const api = apiOf(failure(429, 'rate_limit_exceeded'), failure(503, 'unavailable'), good);
  expect(await api.post()).toMatchObject(good);
});

it('does not wait for a quota', async () => {
  const api = apiOf(failure(429, 'insufficient_quota'), good);
  expect(await api.post()).toMatchObject({ status: 429 });
});

it('gives up a request that breaks the engine again and again', async () => {
  const api = apiOf(failure(503, 'engine_failed'));
  expect(await api.post()).toMatchObject({ status: 503 });
  expect(api.asked()).toBe(3);
  const lucky = apiOf(failure(503, 'engine_failed'), failure(503, 'engine_failed'), good);
  expect(await lucky.post()).toMatchObject(good);
});

it('has no answer when it is stopped while it waits', async () => {
  const stopping = new AbortController();
  const answer = apiOf(failure(503, 'unavailable')).post(stopping.signal);
  stopping.abort();
  expect(await answer).toBeNull();
});

it('has no answer when nobody wants it any more, be it waiting or under way', async () => {
  const unwanted = new AbortController();
  const waiting = apiOf(failure(503, 'unavailable')).post(undefined, unwanted.signal);
  unwanted.abort();
  expect(await waiting).toBeNull();
  expect(await apiOf(good).post(undefined, unwanted.signal)).toBeNull();
});

it('does nothing more for a key that was revoked meanwhile', async () => {
  const api = apiOf(failure(503, 'unavailable'), good);
  const answer = api.post();
  await expect.poll(api.asked, { interval: 5 }).toBe(1);
  api.revoke();
  expect(await answer).toMatchObject({ status: 401, body: { error: { code: 'invalid_api_key' } } });
  expect(api.asked()).toBe(1);
});
