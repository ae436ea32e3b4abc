import { hostname } from 'node:os';
import { expect, it } from 'vitest';
import { nameOfPlace, ownName, stateOf } from './owner.js';

const [place, pid, start] = ownName().split('-');

it('knows its own process, and one that had its number before', () => {
  expect(stateOf(ownName())).toBe('running');
  expect(stateOf(`${place}-${pid}-${Number(start) + 1}`)).toBe('gone');
});

it('says nothing of a process in another container, even one of the same host name', () => {
  const container = nameOfPlace(hostname(), 'pid:[1]');
  expect(container).not.toBe(nameOfPlace(hostname(), 'pid:[2]'));
  expect(stateOf(`${container}-999999999-1`)).toBe('elsewhere');
});
