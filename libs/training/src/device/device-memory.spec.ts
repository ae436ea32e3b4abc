import type { AnyTensor, Device, DeviceTensor, HostTensor } from '@attune/runtime';
import { describe, expect, it } from 'vitest';
import { parameter, type ParameterSet } from '../step/parameters.js';
import { DeviceMemory } from './device-memory.js';

/** A device whose memory is ordinary arrays. @param room tensors it has room for */
function ordinaryDevice(room = Infinity) {
  const arrays = new Map<AnyTensor, Float32Array>();
  const arrayOf = (tensor: AnyTensor) => arrays.get(tensor) ?? ((tensor as HostTensor).data as Float32Array);
  const copies: string[] = [];
  const device: Device = {
    kind: 'webgpu',
    tensor: async (dtype, shape, values) => {
      if (arrays.size >= room) throw new Error('no room is left');
      const made: DeviceTensor = { dtype, shape, device: 'webgpu', release: () => void arrays.delete(made) };
      arrays.set(made, (values!.data as Float32Array).slice());
      return made;
    },
    copy: async (from, to) => {
      copies.push(arrays.has(from) ? 'fetched' : 'pushed');
      arrayOf(to).set(arrayOf(from));
    },
    copySync: () => undefined,
  };
  return { device, arrayOf, copies, count: () => arrays.size };
}

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

  it('cannot be said to have changed before it lies there', () => {
    expect(() => new DeviceMemory(ordinaryDevice().device).changed(weights())).toThrow('not on the device');
  });
});
