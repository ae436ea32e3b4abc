import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { collect, Engine } from '@attune/engine';
import { expect, it } from 'vitest';
import { randomModel } from './tiny-models.js';

it('measures the formats once, remembers it, and serves in the one it chose', async () => {
  const digestCache = mkdtempSync(path.join(tmpdir(), 'attune-auto-'));
  try {
    const options = {
      model: randomModel(1),
      format: 'auto',
      slots: 1,
      threads: 1,
      spinning: false,
      digestCache,
    } as const;
    for (let start = 0; start < 2; start++) {
      const engine = await Engine.load(options);
      // Random weights lose too much to 4 bits to be served in them, however fast they are.
      expect(['fp32', 'int8']).toContain((await engine.stats()).format);
      const { tokens } = await collect(engine.generate({ id: 'a', promptIds: [1, 2, 3], maxTokens: 5 }));
      expect(tokens.length).toBe(5);
      // Rounded weights may lie beside it, in a folder of their own.
      const files = readdirSync(digestCache, { withFileTypes: true }).filter((entry) => entry.isFile());
      expect(files).toHaveLength(1);
      await engine.close();
    }
  } finally {
    rmSync(digestCache, { recursive: true });
  }
});
