import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeModel, Graph, matmul } from '@attune/graph';
import { afterAll, describe, expect, it } from 'vitest';
import { createRuntime, float32, mapFile } from '../index.js';

describe.skipIf(process.platform !== 'linux')('a mapped file (skipped where there is no mmap to call)', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'attune mapped '));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, values: Float32Array) => {
    writeFileSync(path.join(folder, name), values);
    return path.join(folder, name);
  };

  it('holds weights that a session uses where they are', async () => {
    const mapped = mapFile(file('weights', Float32Array.of(1, 2, 3, 4, 5, 6)));
    const w = float32([3, 2], new Float32Array(mapped.bytes.buffer));
    const g = new Graph('linear');
    g.output('y', matmul(g, g.input('x', 'float32', [1, 3]), g.initializer('w', 'float32', [3, 2])));
    const runtime = createRuntime({ prefer: 'capi', threads: 1 });
    const session = await runtime.createSession(encodeModel(g), { initializers: { w }, disablePrepacking: true });
    const y = float32([1, 2]);
    session.runSync({ x: float32([1, 3], Float32Array.of(1, 1, 1)) }, { y });
    expect([...y.data]).toEqual([9, 12]);
    session.release();
    mapped.release();
    mapped.release(); // nothing more happens
  });

  it('takes memory only for what is touched', () => {
    const size = 1 << 26;
    const large = file('large', new Float32Array(size / 4).fill(1));
    const before = process.memoryUsage().rss;
    const mapped = mapFile(large);
    expect(mapped.bytes.byteLength).toBe(size);
    expect(process.memoryUsage().rss - before).toBeLessThan(size / 8);
    expect(new Float32Array(mapped.bytes.buffer, size / 2, 1)[0]).toBe(1);
    mapped.release();
  });

  it('says which file cannot be mapped, and why', () => {
    expect(() => mapFile(path.join(folder, 'missing'))).toThrow(/missing cannot be mapped into memory: ENOENT/);
    expect(() => mapFile(file('empty', new Float32Array(0)))).toThrow(
      /empty cannot be mapped into memory: it is empty/,
    );
  });
});
