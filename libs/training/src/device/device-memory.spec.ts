import { describe, expect, it } from 'vitest';
import { parameter, type ParameterSet } from '../step/parameters.js';
import { DeviceMemory } from './device-memory.js';
import { ordinaryDevice } from './ordinary-device.fixture.js';

const weights = (): ParameterSet =>
  new Map([
    ['a', parameter([2], Float32Array.of(1, 2))],
    ['b', parameter([1], Float32Array.of(3))],
  ]);

describe('what lies on a device', () => {
  it('lies there once, for as long as anybody holds it', async () => {
    const { device, count } = ordinaryDevice();
    const memory = new DeviceMemory(device);
    const all = weights();
    const [step, scorer] = [await memory.hold(all), await memory.hold(new Map([['a', all.get('a')!]]))];
    expect(scorer.tensors.get('a')).toBe(step.tensors.get('a'));
    expect({ tensors: count(), bytes: memory.bytes }).toEqual({ tensors: 2, bytes: 12 });
    await memory.letGo(all);
    expect({ tensors: count(), bytes: memory.bytes }).toEqual({ tensors: 1, bytes: 8 });
    await memory.letGo(new Map([['a', all.get('a')!]]));
    expect({ tensors: count(), bytes: memory.bytes }).toEqual({ tensors: 0, bytes: 0 });
  });

  it('is fetched once after it was changed, and not otherwise', async () => {
    const { device, arrayOf, copies } = ordinaryDevice();
    const memory = new DeviceMemory(device);
    const all = weights();
    const { tensors } = await memory.hold(all);
    await memory.fetch(all);
    expect(copies).toEqual([]);
    arrayOf(tensors.get('a')!).set([7, 8]);
    memory.changed(new Map([['a', all.get('a')!]]));
    await memory.fetch(all);
    await memory.fetch(all);
    expect(copies).toEqual(['fetched']);
    expect([...all.get('a')!.data]).toEqual([7, 8]);
  });

  it('takes over what was written into the arrays, which are then the newer ones', async () => {
    const { device, arrayOf, copies } = ordinaryDevice();
    const memory = new DeviceMemory(device);
    const all = weights();
    const { tensors } = await memory.hold(all);
    memory.changed(all);
    all.get('a')!.data.set([5, 6]);
    await memory.push(all);
    await memory.fetch(all);
    expect([...arrayOf(tensors.get('a')!)]).toEqual([5, 6]);
    expect(copies).toEqual(['pushed', 'pushed']);
  });

  it('is freed when there is no room for all of it', async () => {
    const { device, count } = ordinaryDevice(1);
    const memory = new DeviceMemory(device);
    await expect(memory.hold(weights())).rejects.toThrow('no room is left');
    expect({ tensors: count(), bytes: memory.bytes }).toEqual({ tensors: 0, bytes: 0 });
  });

  it('is brought up to date before the device is given up, which then gets nothing more', async () => {
    const { device, arrayOf, copies } = ordinaryDevice();
    const failures: unknown[] = [];
    const memory = new DeviceMemory(device, (failure, isLost) => void failures.push(failure, isLost));
    const all = weights();
    const { tensors } = await memory.hold(all);
    arrayOf(tensors.get('a')!).set([7, 8]);
    memory.changed(all);
    await memory.giveUp('a run failed');
    await memory.giveUp('another one failed');
    expect([...all.get('a')!.data]).toEqual([7, 8]);
    expect({ failures, isGivenUp: memory.isGivenUp }).toEqual({ failures: ['a run failed', false], isGivenUp: true });
    await memory.push(all);
    expect(copies).toEqual(['fetched', 'fetched']);
  });

  it('is not given up where nobody says that it may be, and the judge hears when something is lost', async () => {
    const failure = new Error('a run failed');
    const unjudged = new DeviceMemory(ordinaryDevice().device);
    await expect(unjudged.giveUp(failure)).rejects.toBe(failure);
    expect(unjudged.isGivenUp).toBe(false);
    const lost: boolean[] = [];
    const gone = { ...ordinaryDevice().device, copy: () => Promise.reject(new Error('the device is gone')) };
    const memory = new DeviceMemory(gone, (_, isLost) => void lost.push(isLost));
    const all = weights();
    await memory.hold(all);
    memory.changed(all);
    await memory.giveUp(failure);
    expect(lost).toEqual([true]);
  });

  it('cannot be said to have changed before it lies there', () => {
    expect(() => new DeviceMemory(ordinaryDevice().device).changed(weights())).toThrow('not on the device');
  });
});
