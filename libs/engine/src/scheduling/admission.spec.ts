import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admissionOrder, type AdmissionState } from './admission.js';

const waiting = (list: string) =>
  list
    .split(' ')
    .filter((entry) => entry !== '')
    .map((entry) => ({ id: entry, user: entry[0]!, priority: entry.includes('!') ? 1 : 0 }));
const state = (more: Partial<AdmissionState> & { tokens?: Record<string, number> } = {}): AdmissionState => ({
  freeSlots: 2,
  slots: 8,
  runningUsers: [],
  othersAbout: () => false,
  served: (user) => more.tokens?.[user] ?? 0,
  ...more,
});
const order = (list: string, more: Parameters<typeof state>[0] = {}) =>
  admissionOrder(waiting(list), state(more)).map(({ id }) => id);

describe('admissionOrder', () => {
  it('keeps the order of arrival of users who had the same', () => {
    expect(order('a1 b1 a2')).toEqual(['a1', 'b1', 'a2']);
  });

  it('puts whoever had least service first, and a higher priority before that', () => {
    expect(order('a1 b1 c1 a2!', { tokens: { a: 50, b: 20, c: 30 } })).toEqual(['a2!', 'b1', 'c1', 'a1']);
  });

  it('keeps the last slot for those who have none, while such users are about', () => {
    const flood = { freeSlots: 1, runningUsers: Array(7).fill('a') };
    expect(order('a1 a2', { ...flood, othersAbout: () => true })).toEqual([]);
    expect(order('a1 a2 b1', { ...flood, othersAbout: () => true })).toEqual(['b1']);
    expect(order('a1 a2', { ...flood, othersAbout: () => false })).toEqual(['a1', 'a2']);
    expect(order('a1 a2', { ...flood, slots: 2, othersAbout: () => true })).toEqual(['a1', 'a2']);
  });

  it('lets nobody in without a slot', () => {
    expect(order('a1', { freeSlots: 0 })).toEqual([]);
  });

  it('leaves no slot idle that somebody may take', () => {
    const requests = fc.array(fc.record({ user: fc.constantFrom('a', 'b'), priority: fc.nat(2) }), { minLength: 1 });
    fc.assert(
      fc.property(requests, fc.integer({ min: 2, max: 8 }), (list, freeSlots) => {
        const views = list.map((each, id) => ({ ...each, id: `${id}` }));
        expect(admissionOrder(views, state({ freeSlots, othersAbout: () => true })).length).toBe(list.length);
      }),
    );
  });
});
