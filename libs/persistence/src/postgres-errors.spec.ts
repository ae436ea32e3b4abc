import { connect } from 'node:net';
import { QueryFailedError, QueryRunnerAlreadyReleasedError } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { isDatabaseAway, isRefusedForGood, wasUnheard } from './postgres-errors.js';

const withCode = (message: string, code: string, syscall?: string) =>
  Object.assign(new Error(message), { code, syscall });
const refused = withCode('connect ECONNREFUSED 127.0.0.1:5432', 'ECONNREFUSED', 'connect');
const failed = (cause: Error) => new QueryFailedError('select 1', [], cause);

describe('a database that is away', () => {
  it('is known by a real refused connection', async () => {
    const error = await new Promise((resolve) => connect(1, '127.0.0.1').once('error', resolve));
    expect(isDatabaseAway(error)).toBe(true);
  });

  it.each([
    ['at every address of its host', new AggregateError([refused, refused])],
    ['under a query', failed(withCode('read ECONNRESET', 'ECONNRESET', 'read'))],
    ['while it stops', failed(withCode('terminating connection due to administrator command', '57P01'))],
    ['while it starts', withCode('the database system is starting up', '57P03')],
    ['when it is full', withCode('sorry, too many clients already', '53300')],
    ['without a word', failed(new Error('Connection terminated unexpectedly'))],
    ['for longer than the pool waits', new Error('timeout exceeded when trying to connect')],
    ['within a transaction', new QueryRunnerAlreadyReleasedError()],
  ])('%s', (_, error) => expect(isDatabaseAway(error)).toBe(true));

  it.each([
    ['a statement it refused', failed(withCode('duplicate key', '23505'))],
    ['a bug of ours', new TypeError('connection is undefined')],
    ['a file that is not there', withCode('no such file', 'ENOENT', 'open')],
    ['a client who left', withCode('aborted', 'ECONNRESET')],
    ['several errors of which one is another', new AggregateError([refused, new TypeError('x')])],
    ['nothing at all', undefined],
  ])('is not %s', (_, error) => expect(isDatabaseAway(error)).toBe(false));
});

it('tells what a statement will never get from what it may get later', () => {
  const refusal = (code: string) => isRefusedForGood(failed(withCode('x', code)));
  expect(['22021', '23505'].map(refusal)).toEqual([true, true]);
  // A full disk, a standby that takes no writes, a deadlock, a connection that broke, a right that is missing.
  expect(['53100', '25006', '40P01', '08006', '42501'].map(refusal)).toEqual([false, false, false, false, false]);
  expect(isRefusedForGood(new TypeError('x'))).toBe(false);
});

it('tells what no connection was there for from what may have been heard', () => {
  const unheard = [
    refused,
    new AggregateError([refused, refused]),
    withCode('sorry, too many clients already', '53300'),
    new Error('timeout exceeded when trying to connect'),
  ];
  const heard = [
    failed(withCode('read ECONNRESET', 'ECONNRESET', 'read')),
    new AggregateError([refused, new Error('Connection terminated unexpectedly')]),
    failed(new Error('Connection terminated unexpectedly')),
    new TypeError('x'),
    undefined,
  ];
  expect(unheard.map(wasUnheard)).toEqual([true, true, true, true]);
  expect(heard.map(wasUnheard)).toEqual([false, false, false, false, false]);
});
