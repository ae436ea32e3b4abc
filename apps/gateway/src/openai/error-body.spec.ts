import { InvalidRequestError, RateLimitedError } from '@attune/platform';
import { describe, expect, it } from 'vitest';
import { errorBody, statusOf, toAppError } from './error-body.js';

describe('errors on the wire', () => {
  it('keep their sentence, field and code', () => {
    const error = new InvalidRequestError('`n` is 2.', { param: 'n', code: 'too_many' });
    expect(errorBody(error)).toEqual({
      error: { message: '`n` is 2.', type: 'invalid_request_error', param: 'n', code: 'too_many' },
    });
    expect([statusOf(error), statusOf(new RateLimitedError('x'))]).toEqual([400, 429]);
  });

  it('tell clients nothing about what broke inside', () => {
    const error = toAppError(new TypeError('Cannot read properties of undefined (reading "password")'));
    expect(statusOf(error)).toBe(500);
    expect(errorBody(error).error.message).not.toContain('password');
  });

  it('ask to try again while the database is away, and say no more about it', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), {
      code: 'ECONNREFUSED',
      syscall: 'connect',
    });
    const error = toAppError(cause);
    expect([statusOf(error), error.retryAfterSeconds]).toEqual([503, 2]);
    expect(errorBody(error).error).toMatchObject({ type: 'server_error', code: 'unavailable' });
    expect(errorBody(error).error.message).not.toContain('10.0.0.7');
  });

  it('are the framework’s own where it refused the request', () => {
    const tooLarge = Object.assign(new Error('Request body is too large'), { statusCode: 413 });
    expect(statusOf(toAppError(tooLarge))).toBe(413);
    expect(errorBody(toAppError(tooLarge)).error.message).toContain('BODY_LIMIT_BYTES');
    const nowhere = toAppError(Object.assign(new Error('Cannot POST /v1/x?y=z'), { getStatus: () => 404 }));
    expect([statusOf(nowhere), nowhere.message]).toEqual([404, 'There is nothing at POST /v1/x.']);
    expect(statusOf(toAppError(Object.assign(new Error('bad json'), { statusCode: 400 })))).toBe(400);
  });
});
