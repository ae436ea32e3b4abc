import { describe, expect, it } from 'vitest';
import { completionLine } from './completion-closer.js';
import { CompletionRecord } from './completion-record.js';

const started = {
  type: 'started',
  fingerprint: 'fp_ad12ad12ad12ad12',
  adapter: null,
  seed: 7,
  cachedTokens: 3,
} as const;
const finished = { type: 'finished', reason: 'stop', queuedMs: 1, prefillMs: 40 } as const;

function setUp() {
  const clock = { ms: 100, now: () => new Date(0), monotonicMs: () => clock.ms };
  return { clock, record: new CompletionRecord(clock, 10, 100) };
}

describe('the record of an answer', () => {
  it('holds tokens, texts and times of one that ended well', () => {
    const { clock, record } = setUp();
    record.note(started);
    record.note({ type: 'text', text: '', token: 5, logProb: -0.5 });
    clock.ms = 150;
    record.note({ type: 'text', text: 'Hé', token: 6, logProb: -0.25 });
    record.say({ type: 'text', text: 'Hé' });
    record.say({ type: 'text', text: '!' });
    record.say({ type: 'tool_call', index: 0, id: 'call_1', name: 'f' });
    record.say({ type: 'tool_arguments', index: 0, text: '{' });
    record.say({ type: 'tool_arguments', index: 0, text: '}' });
    clock.ms = 200;
    record.note(finished);
    record.end('tool_calls');
    const outcome = record.outcome('ckpt_1');
    expect(outcome).toMatchObject({
      status: 'done',
      answer: 'Hé!',
      answerTokenIds: [5, 6],
      answerLogProbs: [-0.5, -0.25],
      toolCalls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }],
      stopReason: 'tool_calls',
      weightsDigest: started.fingerprint,
      checkpointId: 'ckpt_1',
      seed: 7,
      cachedTokens: 3,
      completionTokens: 2,
      ttftMs: 50,
      totalMs: 100,
    });
    expect(completionLine(outcome)).toBe(
      'in=10 cached=3 queueMs=1 prefillMs=40 ttftMs=50 out=2 tokPerSec=20 stop=tool_calls checkpoint=ad12ad12',
    );
    expect(record.usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 });
  });

  it('calls an answer that nobody waited for cancelled, and one that broke failed', () => {
    const { record } = setUp();
    record.note(started);
    record.note({ type: 'text', text: 'Half', token: 5 });
    record.say({ type: 'text', text: 'Half' });
    expect(record.outcome(null)).toMatchObject({ status: 'cancelled', answer: 'Half', stopReason: 'cancelled' });
    record.fail('the engine broke');
    expect(record.outcome(null)).toMatchObject({ status: 'failed', stopReason: 'error', error: 'the engine broke' });
  });
});
