import type { EngineEvent, FinishedEvent } from '@attune/engine';
import type { Tokenizer } from '@attune/tokenizer';
import { StreamDecoder } from '@attune/tokenizer';
import { describe, expect, it } from 'vitest';
import { TextOfTokens } from './text-of-tokens.js';

/** Token n of the vocabulary is these bytes; 0 is special. */
const bytes = ['', ' Hel', 'lo', [0xf0, 0x9f], [0x8e, 0x89], ' wor', 'ld', ' '].map((one) =>
  Buffer.from(one as string),
);
const tokenizer = {
  bytesOf: (id: number) => (id === 0 ? null : bytes[id]),
  tokenOf: (id: number) => (id === 0 ? '<|end|>' : String(id)),
  streamDecoder: () =>
    new StreamDecoder((ids) =>
      Buffer.concat(ids.map((id) => bytes[id]))
        .toString('utf8')
        .replace(/^ /, ''),
    ),
} as unknown as Tokenizer;

const weights = { base: 'b', adapter: null, digest: 'fp' };
const timings = { queuedMs: 0, prefillMs: 0, decodeMs: 0 };
function* tokens(...ids: number[]): Generator<EngineEvent> {
  yield { type: 'started', weights, seed: 1, promptTokens: 1, cachedTokens: 0 };
  for (const token of ids) {
    yield {
      type: 'token',
      token,
      logProb: -token,
      top: [
        { token, logProb: -token },
        { token: 0, logProb: -Infinity },
      ],
    };
  }
  yield { type: 'finished', reason: 'length', promptTokens: 1, cachedTokens: 0, completionTokens: ids.length, timings };
}
function read(ids: number[], stop: string[] = []) {
  const text: string[] = [];
  const told: { token: string; bytes: number[] | null }[] = [];
  let reason = '';
  let stopped = 0;
  const reader = new TextOfTokens(tokenizer, { stop, topLogprobs: 1 }, () => (stopped += 1));
  for (const event of [...tokens(...ids)].flatMap((one) => reader.read(one))) {
    if (event.type === 'finished') reason = event.reason;
    if (event.type !== 'text') continue;
    text.push(event.text);
    told.push(...(event.logprobs ?? []));
  }
  return { text, told, reason, stopped };
}

describe('the likelihoods of tokens', () => {
  it('come with the text they are of, bytes and all', () => {
    const { text, told } = read([1, 2, 3, 4]);
    expect(text.join('')).toBe('Hello🎉');
    expect(told.map((one) => one.token)).toEqual(['Hel', 'lo', 'bytes:\\xf0\\x9f', 'bytes:\\x8e\\x89']);
    expect(Buffer.from(told.flatMap((one) => one.bytes!)).toString()).toBe('Hello🎉');
  });

  it('of a first space that decoding takes away have no bytes', () => {
    const { text, told } = read([7, 2]);
    expect(text.join('')).toBe('lo');
    expect(told.map((one) => one.bytes)).toEqual([[], [0x6c, 0x6f]]);
  });

  it('leave out the tokens of a stop string, but not one that is half of it', () => {
    const { text, told, reason, stopped } = read([1, 2, 5, 6], ['o wor']);
    expect([text.join(''), reason, stopped]).toEqual(['Hell', 'stop', 1]);
    expect(told.map((one) => one.token)).toEqual(['Hel', 'lo']);
  });

  it('are told for text that was held back at the end, and for tokens that have none', () => {
    const { text, told } = read([1, 2, 0], ['lo!']);
    expect(text.join('')).toBe('Hello');
    expect(told).toMatchObject([
      { token: 'Hel' },
      { token: 'lo', top_logprobs: [{ logprob: -2 }, { logprob: -9999, bytes: null }] },
      { token: '<|end|>', bytes: null },
    ]);
  });
});

describe('a request the engine never began', () => {
  const refused = (rejection: FinishedEvent['rejection']) => {
    const counts = { promptTokens: 1, cachedTokens: 0, completionTokens: 0 };
    const event = { type: 'finished', reason: 'rejected', rejection, error: 'why', ...counts, timings } as const;
    try {
      return new TextOfTokens(tokenizer, { stop: [] }, () => undefined).read(event);
    } catch (error) {
      return error;
    }
  };

  it.each([
    ['late', 'unavailable', 2],
    ['overloaded', 'rate_limited', 2],
    ['invalid', 'invalid_request', undefined],
  ] as const)('because it was %s is %s', (rejection, kind, retryAfterSeconds) => {
    expect(refused(rejection)).toMatchObject({
      kind,
      retryAfterSeconds,
      message: expect.stringContaining('why'),
    });
  });
});
