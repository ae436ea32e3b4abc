import { type Device, type DeviceTensor, float32, type HostTensor } from '@attune/runtime';
import { makeOfParts, type Releasable } from '../holding.js';
import type { FrozenSet, ParameterSet } from '../step/parameters.js';

/** Parameters in a device's memory, by name. */
export interface PlacedParameters {
  readonly device: Device;
  readonly tensors: ReadonlyMap<string, DeviceTensor>;
}

/** Those of one owner, who releases them. */
export type OwnParameters = PlacedParameters & Releasable;

/** Copies parameters to a device. */
export const placeParameters = (device: Device, parameters: FrozenSet): Promise<OwnParameters> =>
  place(device, parameters, (parameter) => parameter);

/** Zeros on a device, shaped as some parameters. */
export const placeZeros = (device: Device, parameters: ParameterSet): Promise<OwnParameters> =>
  place(device, parameters, ({ shape }) => float32(shape));

/** All of them, or none. */
const place = (
  device: Device,
  parameters: FrozenSet,
  valuesOf: (parameter: HostTensor) => HostTensor,
): Promise<OwnParameters> =>
  makeOfParts(async (keep) => {
    const tensors = new Map<string, DeviceTensor>();
    for (const [name, parameter] of parameters) {
      const values = valuesOf(parameter);
      tensors.set(name, keep(await device.tensor(values.dtype, values.shape, values)));
    }
    const release = () => {
      for (const tensor of tensors.values()) tensor.release();
    };
    return { device, tensors, release };
  });

/** Copies values back from the device into arrays of this process. */
export async function fetchParameters({ device, tensors }: PlacedParameters, into: ParameterSet): Promise<void> {
  for (const [name, parameter] of into) await device.copy(tensors.get(name)!, parameter);
}
