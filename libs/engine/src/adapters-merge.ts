import { encodeModel } from '@attune/graph';
import { mergeGraph } from '@attune/models';
import { float32, type HostTensor, type Runtime } from '@attune/runtime';
import type { LayerUpdate } from './adapters-prepared.js';

/**
 * The linear layers that an adapter changes, with the update multiplied in: `<linear>.weight` [in, out]. Computed off
 * this thread, layer by layer, so that answers under way hardly notice.
 * @param weights the base weights, fp32
 */
export async function mergeUpdate(
  runtime: Runtime,
  weights: Readonly<Record<string, HostTensor>>,
  { inputs }: LayerUpdate,
): Promise<Record<string, HostTensor>> {
  const session = await runtime.createSession(encodeModel(mergeGraph()), { threads: 1, spinning: false });
  const merged: Record<string, HostTensor> = {};
  try {
    for (const [name, down] of Object.entries(inputs)) {
      const linear = /^(.+)\.down$/.exec(name)?.[1];
      if (!linear || down.shape[1] === 0) continue;
      const weight = weights[`${linear}.weight`]!;
      const sum = (merged[`${linear}.weight`] = float32(weight.shape));
      await session.run({ weight, down, up: inputs[`${linear}.up`]! }, { merged: sum });
    }
    return merged;
  } finally {
    session.release();
  }
}
