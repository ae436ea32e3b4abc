import { expect, it } from 'vitest';
import { AdamW } from './adamw.js';

it('moves a parameter by its own multiple of the rate, and all others by the rate', () => {
  const [scaled, plain] = ['prompt', 'matrix'].map((name) => ({
    name,
    shape: [2],
    value: Float32Array.of(1, -1),
    gradient: Float32Array.of(0.5, -2),
  }));
  const optimizer = new AdamW({ weightDecay: 0, rateScales: new Map([['prompt', 30]]) });
  optimizer.update([scaled!, plain!], 1, 1e-3);
  // The first step of Adam is the rate times the gradient's sign.
  expect(plain!.value[0]).toBeCloseTo(1 - 1e-3, 6);
  expect(plain!.value[1]).toBeCloseTo(-1 + 1e-3, 6);
  expect(scaled!.value[0]).toBeCloseTo(1 - 3e-2, 6);
  expect(scaled!.value[1]).toBeCloseTo(-1 + 3e-2, 6);
});
