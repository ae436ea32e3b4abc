import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admissionOrder } from './admission.js';
import { FairShares } from './fair-shares.js';
import { planStep } from './scheduler.js';

interface Simulated {
  readonly id: string;
  readonly user: string;
  readonly priority: number;
  readonly arrives: number;
  pending: number;
  left: number;
  firstTokenAt?: number;
}

const request = (id: string, user: string, arrives: number, prompt: number, answer: number): Simulated => ({
  id,
  user,
  priority: 0,
  arrives,
  pending: prompt,
  left: answer,
});

/** Runs the scheduler over requests without a model. @returns steps each waited for its first token */
function simulate(requests: readonly Simulated[], { slots = 4, budget = 64 } = {}): Map<string, number> {
  const shares = new FairShares();
  const waiting: Simulated[] = [];
  const running: Simulated[] = [];
  let arriving = [...requests];
  for (let step = 0; arriving.length + waiting.length + running.length > 0; step++) {
    for (const one of arriving.filter(({ arrives }) => arrives <= step)) {
      shares.arrive(one.user);
      waiting.push(one);
    }
    arriving = arriving.filter(({ arrives }) => arrives > step);
    for (;;) {
      const users = new Set(requests.map(({ user }) => user));
      const [next] = admissionOrder(waiting, {
        freeSlots: slots - running.length,
        slots,
        runningUsers: running.map(({ user }) => user),
        othersAbout: (known) => [...users].some((user) => !known.has(user)),
        served: (user) => shares.of(user),
      });
      if (!next) break;
      waiting.splice(waiting.indexOf(next), 1);
      shares.chargePrompt(next.user, next.pending);
      running.push(next);
    }
    const views = running.map((one) => ({
      ...one,
      served: shares.of(one.user),
      decoding: one.firstTokenAt !== undefined,
    }));
    const { decode, prefill } = planStep(views, (numDecoding) => budget - numDecoding);
    const byId = (id: string) => running.find((one) => one.id === id)!;
    const draw = (one: Simulated) => {
      one.firstTokenAt ??= step;
      one.left -= 1;
      shares.chargeAnswer(one.user, 1);
    };
    decode.forEach((id) => draw(byId(id)));
    for (const { id, count } of prefill) {
      const one = byId(id);
      one.pending -= count;
      if (one.pending === 0) draw(one);
    }
    for (const one of running.filter(({ left }) => left === 0)) {
      running.splice(running.indexOf(one), 1);
      shares.leave(one.user);
    }
  }
  return new Map(requests.map(({ id, arrives, firstTokenAt }) => [id, firstTokenAt! - arrives]));
}

describe('the scheduler', () => {
  it('answers a key as soon beside a flood of 200 long requests as beside 10', () => {
    const waits = [10, 200].map((size) => {
      const flood = Array.from({ length: size }, (_, i) => request(`a${i}`, 'a', 0, 500, 50));
      return simulate([...flood, request('b', 'b', 40, 30, 5)]).get('b')!;
    });
    expect(waits[1]).toBe(waits[0]);
    expect(waits[1]).toBeLessThanOrEqual(1);
  });

  it('starts every request, whatever comes and from whom', () => {
    const requests = fc.array(
      fc.record({
        user: fc.constantFrom('a', 'b', 'c'),
        arrives: fc.nat(60),
        prompt: fc.integer({ min: 1, max: 300 }),
        answer: fc.integer({ min: 1, max: 40 }),
      }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(requests, fc.integer({ min: 1, max: 6 }), (list, slots) => {
        const waits = simulate(
          list.map(({ user, arrives, prompt, answer }, i) => request(`${i}`, user, arrives, prompt, answer)),
          { slots },
        );
        for (const wait of waits.values()) expect(wait).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 50 },
    );
  });

  it('gives two keys that both flood the same service, though one asks for four times as much at once', () => {
    const list = Array.from({ length: 400 }, (_, i) =>
      i % 5 < 4 ? request(`a${i}`, 'a', 0, 40, 10) : request(`b${i}`, 'b', 0, 160, 40),
    );
    const order = [...simulate(list)].sort(([, a], [, b]) => a - b).slice(0, 100);
    const tokens = (user: string) =>
      order.reduce((sum, [id]) => sum + (id.startsWith(user) ? (user === 'a' ? 60 : 240) : 0), 0);
    expect(tokens('a') / tokens('b')).toBeGreaterThan(0.8);
    expect(tokens('a') / tokens('b')).toBeLessThan(1.25);
  });
});
