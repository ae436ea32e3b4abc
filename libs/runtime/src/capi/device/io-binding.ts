import type { AnyTensor, AnyTensorMap } from '../../types.js';
import { ortApi, type Pointer } from '../api.js';
import { isDeviceTensor, valueOf } from './device-tensor.js';

/**
 * Inputs and outputs bound to a session on a device. Binding copies an input that lies here at once, and only then, so
 * those are bound again before every run; device tensors are bound once.
 */
export class IoBinding {
  private readonly pointer: Pointer;
  private readonly fromHost: [string, AnyTensor][];
  private readonly onDevice: AnyTensor[];

  constructor(
    private readonly session: Pointer,
    /** Kept here so that their memory outlives the binding. */
    private readonly inputs: AnyTensorMap,
    private readonly outputs: AnyTensorMap,
  ) {
    this.pointer = ortApi().create('CreateIoBinding', session);
    this.fromHost = Object.entries(inputs).filter(([, tensor]) => !isDeviceTensor(tensor));
    this.onDevice = [...Object.values(inputs), ...Object.values(outputs)].filter(isDeviceTensor);
    for (const [name, tensor] of Object.entries(this.inputs))
      if (isDeviceTensor(tensor)) this.bind('BindInput', name, tensor);
    for (const [name, tensor] of Object.entries(this.outputs)) this.bind('BindOutput', name, tensor);
  }

  runSync(): void {
    this.takeInputs();
    ortApi().call('RunWithBinding', this.session, null, this.pointer);
  }

  async run(): Promise<void> {
    this.takeInputs();
    await ortApi().callAsync('RunWithBinding', this.session, null, this.pointer);
  }

  release(): void {
    ortApi().raw.ReleaseIoBinding(this.pointer);
  }

  private takeInputs(): void {
    this.onDevice.forEach(valueOf); // throws if one was released meanwhile
    for (const [name, tensor] of this.fromHost) this.bind('BindInput', name, tensor);
  }

  private bind(how: 'BindInput' | 'BindOutput', name: string, tensor: AnyTensor): void {
    ortApi().call(how, this.pointer, name, valueOf(tensor));
  }
}
