import { type Device, type DeviceTensor, float32 } from '@attune/runtime';
import type { FrozenSet, ParameterSet } from '../step/parameters.js';

/** Parameters in a device's memory, by name. Their owner releases them. */
export interface PlacedParameters {
  readonly device: Device;
  readonly tensors: ReadonlyMap<string, DeviceTensor>;
}

/** Copies parameters to a device. */
export async function placeParameters(device: Device, parameters: FrozenSet): Promise<PlacedParameters> {
  const tensors = new Map<string, DeviceTensor>();
  for (const [name, parameter] of parameters)
    tensors.set(name, await device.tensor(parameter.dtype, parameter.shape, parameter));
  return { device, tensors };
}

/** Zeros on a device, shaped as some parameters. */
export async function placeZeros(device: Device, parameters: ParameterSet): Promise<PlacedParameters> {
  const tensors = new Map<string, DeviceTensor>();
  for (const [name, { shape }] of parameters) tensors.set(name, await device.tensor('float32', shape, float32(shape)));
  return { device, tensors };
}

/** Copies values back from the device into arrays of this process. */
export async function fetchParameters({ device, tensors }: PlacedParameters, into: ParameterSet): Promise<void> {
  for (const [name, parameter] of into) await device.copy(tensors.get(name)!, parameter);
}

export function releaseParameters({ tensors }: PlacedParameters): void {
  for (const tensor of tensors.values()) tensor.release();
}
