import { describe, expect, it } from 'vitest';
import { EventTail } from './event-tail.js';

const event = (sequence_number: number) => ({ type: 'x', sequence_number });
const never = new AbortController().signal;

describe('the tail of a stream', () => {
  it('wakes whoever waits, at every event and at the end', async () => {
    const tail = new EventTail();
    expect(tail.after(-1)).toBeUndefined();
    const waiting = tail.changed(never);
    tail.push(event(0));
    await waiting;
    expect(tail.after(-1)).toEqual(event(0));
    const ending = tail.changed(never);
    tail.end();
    await ending;
    expect(tail.after(0)).toBe('over');
    await tail.changed(never);
  });

  it('lets a reader who leaves go', async () => {
    const gone = new AbortController();
    const waiting = new EventTail().changed(gone.signal);
    gone.abort();
    await waiting;
  });

  it('forgets what is old and written, and tells who is behind', () => {
    const tail = new EventTail();
    for (let n = 0; n < 1_000; n++) tail.push(event(n));
    tail.forget(99);
    expect(tail.after(98)).toBe('behind');
    expect(tail.after(99)).toEqual(event(100));
    tail.forget(999);
    expect(tail.after(742)).toBe('behind');
    expect(tail.after(743)).toEqual(event(744));
    expect(tail.after(999)).toBeUndefined();
  });
});
