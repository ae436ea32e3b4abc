import type { AnyTensor, Device, DeviceTensor, HostTensor } from '@attune/runtime';

/** A device whose memory is ordinary arrays. @param room tensors it has room for */
export function ordinaryDevice(room = Infinity) {
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
