import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { anonymousRanges, useHugePages } from './huge-pages.js';

describe('huge pages', () => {
  it('are asked for whole, and only where no file stands behind the memory', () => {
    const maps = [
      '00400000-00c00000 rw-p 00000000 00:00 0 ',
      '7f0000100000-7f0000700000 rw-p 00000000 00:00 0 ',
      '7f0010000000-7f0010400000 rw-p 00000000 00:00 0                          [heap]',
      '7f0020000000-7f0020400000 rw-p 00000000 08:01 77 /usr/lib/libc.so.6',
      '7f0030000000-7f0030400000 r--p 00000000 00:00 0 ',
      '7f0040000000-7f0040100000 rw-p 00000000 00:00 0 ',
      '7f0050000000-7f0050400000 rw-p 00000000 00:00 0                          [stack]',
    ].join('\n');
    const hex = anonymousRanges(maps).map(({ start, end }) => [start.toString(16), end.toString(16)]);
    expect(hex).toEqual([
      ['400000', 'c00000'],
      ['7f0000200000', '7f0000600000'],
      ['7f0010000000', '7f0010400000'],
    ]);
  });

  it.runIf(process.platform === 'linux')('leave every byte as it was', () => {
    const data = new Float32Array(8 << 20).map((_, i) => i);
    const bytes = useHugePages();
    expect(data.every((value, i) => value === i)).toBe(true);
    const inHugePages = Number(/AnonHugePages:\s+(\d+)/.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))![1]);
    expect(inHugePages * 1024).toBeGreaterThanOrEqual(Math.min(bytes, 1 << 21));
  });
});
