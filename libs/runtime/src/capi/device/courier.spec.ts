import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeOnSwiftShader } from '../../../../../test/support/swiftshader.js';
import { float32, hostTensor } from '../../tensor.js';
import { DirectCourier, GraphCourier } from './courier.js';
import { CapiDevice } from './device.js';

// CUDA's tensors are carried by a graph. That road is walked here on WebGPU, where both roads are open.
describeOnSwiftShader('both ways of carrying values to a device', fileURLToPath(import.meta.url), () => {
  it.each([
    ['directly', new DirectCourier()],
    ['by a graph', new GraphCourier('webgpu')],
  ])('bring them there, across and back, %s', async (_, courier) => {
    const device = await CapiDevice.open('webgpu');
    const values = Float32Array.from({ length: 600 }, (_, i) => i - 300.5);
    const [a, b] = [await device.tensor('float32', [20, 30]), await device.tensor('float32', [20, 30])];
    await courier.prepare('float32', 2);
    courier.carry(float32([20, 30], values), a);
    courier.carry(a, b);
    const back = float32([20, 30]);
    courier.carry(b, back);
    expect(back.data).toEqual(values);
    expect(() => courier.carry(hostTensor('int32', [20, 30]), a)).toThrow(/int32 \[20, 30\] tensor cannot be copied/);
  });
});
