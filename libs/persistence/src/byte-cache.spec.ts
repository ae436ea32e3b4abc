import { expect, it } from 'vitest';
import { ByteCache } from './byte-cache.js';

it('forgets what was used longest ago when it is full, and keeps nothing that is larger than it', () => {
  const cache = new ByteCache<Uint8Array>(10);
  const known = () => ['a', 'b', 'c', 'd'].filter((key) => cache.get(key));
  cache.set('a', new Uint8Array(4));
  cache.set('b', new Uint8Array(4));
  cache.get('a');
  cache.set('c', new Uint8Array(4));
  expect(known()).toEqual(['a', 'c']);
  cache.set('d', new Uint8Array(11));
  expect(known()).toEqual(['a', 'c']);
  cache.set('a', new Uint8Array(10));
  expect(known()).toEqual(['a']);
  cache.set('a', new Uint8Array(1));
  cache.set('b', new Uint8Array(9));
  expect(known()).toEqual(['a', 'b']);
});
