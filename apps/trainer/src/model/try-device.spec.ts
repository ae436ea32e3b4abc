import type { DeviceWish } from '@attune/runtime';
import { describe, expect, it } from 'vitest';
import { tryDevice } from './try-device.js';

describe('the trial of a device at the start', () => {
  it.each([
    ['auto', 1],
    ['webgpu', 0],
    ['cuda', 0],
    ['cpu', 0],
  ] as [DeviceWish, number][])('is made where its outcome decides: %s', (wish, expected) => {
    let trials = 0;
    tryDevice(wish, () => trials++);
    expect(trials).toBe(expected);
  });

  it('leaves it to the first job to say that the installation is broken', () => {
    const broken = () => {
      throw new Error('the library is missing');
    };
    expect(() => tryDevice('auto', broken)).not.toThrow();
  });
});
