import { describe, expect, it } from 'vitest';
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './half.js';

const allBits = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);

const formats = [
  { name: 'float16', widen: float16ToFloat32, round: float32ToFloat16, infinity: 0x7c00 },
  { name: 'bfloat16', widen: bfloat16ToFloat32, round: float32ToBfloat16, infinity: 0x7f80 },
];

describe.each(formats)('$name', ({ widen, round, infinity }) => {
  const values = new Float32Array(65_536);
  widen(allBits, values);
  const positive = (bits: number) => values[bits];

  it('comes back unchanged from float32, every bit pattern that is a number', () => {
    const back = round(values);
    for (let bits = 0; bits < 65_536; bits++) {
      if (!Number.isNaN(values[bits])) expect(back[bits]).toBe(bits);
    }
  });

  it('rounds a number between two neighbours to the nearer one, and a tie to the even one', () => {
    for (let bits = 0; bits < infinity - 1; bits++) {
      const middle = Math.fround((positive(bits) + positive(bits + 1)) / 2);
      const quarter = Math.fround(positive(bits) + (positive(bits + 1) - positive(bits)) / 4);
      const even = bits % 2 === 0 ? bits : bits + 1;
      const rounded = round(new Float32Array([middle, -middle, quarter]));
      expect([...rounded]).toEqual([even, even | 0x8000, bits]);
    }
  });

  it('keeps NaN NaN, whatever its payload, and overflows to infinity', () => {
    const nans = new Float32Array(new Uint32Array([0x7f800001, 0xffc00000, 0x7fffffff, 0xff800001]).buffer);
    const widened = new Float32Array(4);
    widen(round(nans), widened);
    expect([...widened].every(Number.isNaN)).toBe(true);
    expect([...round(new Float32Array([3.4028235e38, -3.4028235e38, Infinity]))]).toEqual([
      infinity,
      infinity | 0x8000,
      infinity,
    ]);
  });
});

it('knows the half numbers of the standard', () => {
  const bits = Uint16Array.from([0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x3555, 0x8000]);
  const values = new Float32Array(bits.length);
  float16ToFloat32(bits, values);
  expect([...values]).toEqual([1, -2, 65_504, 2 ** -24, 2 ** -14, 0.333251953125, -0]);
  expect([...float32ToFloat16(new Float32Array([65_519.99, 65_520]))]).toEqual([0x7bff, 0x7c00]);
});
