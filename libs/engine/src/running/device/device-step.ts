import {
  type AnyTensor,
  type BoundRun,
  type DeviceTensor,
  float32,
  type HostTensor,
  int32,
  int64,
} from '@attune/runtime';
import type { LayerUpdate } from '../../adapters-prepared.js';
import type { Draw } from '../runner.js';
import type { CachedSlot } from './device-cache.js';
import type { DeviceSessions } from './device-sessions.js';

/** A run: one sequence for each slot, `columns` tokens each. */
export interface StepShape {
  readonly slots: readonly CachedSlot[];
  readonly columns: number;
  /** Tokens, counted over all rows, whose logits are wanted. */
  readonly picks: readonly number[];
  readonly update: LayerUpdate | null;
  /** [1, columns, hidden] in place of token ids. */
  readonly embeddings?: HostTensor;
  /** What comes back to the host: all logits, or a drawn token and its log-probability. */
  readonly wanted: 'logits' | 'drawn';
}

/** A run bound to its tensors. All arrays but the results are filled in before it runs. */
export interface DeviceStep {
  /** [rows · columns] */
  readonly ids: BigInt64Array;
  readonly lengths: readonly { readonly last: Int32Array; readonly total: Int32Array }[];
  /** [picks] each; see `Draw`. */
  readonly temperature: Float32Array;
  readonly uniform: Float32Array;
  /** [picks · V], or empty when drawn tokens are wanted. */
  readonly logits: Float32Array;
  /** [picks] each; filled when drawn tokens are wanted. */
  readonly drawn: BigInt64Array;
  readonly logProb: Float32Array;
  readonly run: BoundRun;
}

/** Says that a row is `total` tokens long after the run. */
export function setLength({ lengths }: DeviceStep, row: number, total: number): void {
  lengths[row]!.last[0] = total - 1;
  lengths[row]!.total[0] = total;
}

/** The largest float32 below 1: a draw just below it would be rounded up to it. */
const BELOW_ONE = 1 - 2 ** -24;

/** Says how the token of a pick is drawn. */
export function setDraw(step: DeviceStep, pick: number, { temperature, uniform }: Draw): void {
  step.temperature[pick] = temperature;
  step.uniform[pick] = Math.min(uniform, BELOW_ONE);
}

/** Numbers of rows are powers of two, so that few graphs serve all; rows beyond the slots write to the spare one. */
export async function bindStep(
  sessions: DeviceSessions,
  spare: CachedSlot,
  vocabSize: number,
  { slots, columns, picks, update, embeddings, wanted }: StepShape,
  adapter: Readonly<Record<string, DeviceTensor>>,
): Promise<DeviceStep> {
  const rows = 2 ** Math.ceil(Math.log2(slots.length));
  const graph = { rows, adapters: update ? [update.kind] : [], embeddings: embeddings !== undefined };
  const { session, weights } = await sessions.get(graph);
  const ids = int64([rows, columns]);
  const pick = int64([picks.length], BigInt64Array.from(picks, BigInt));
  const [temperature, uniform] = [float32([picks.length, 1]), float32([picks.length, 1])];
  const lengths = Array.from({ length: rows }, () => ({ last: int32([1]), total: int32([], Int32Array.of(1)) }));
  const caches = lengths.map((_, row) => slots[row] ?? spare);
  const inputs: Record<string, AnyTensor> = {
    ...weights,
    ...adapter,
    ...(embeddings ? { embeddings } : { ids }),
    pick,
    temperature,
    uniform,
    ...Object.assign({}, ...lengths.map((row, r) => ({ [`last.${r}`]: row.last, [`total.${r}`]: row.total }))),
    ...cacheTensors('past', caches),
  };
  const [drawn, logProb] = [int64([picks.length]), float32([picks.length])];
  const logits = float32(wanted === 'logits' ? [picks.length, vocabSize] : [0]);
  const results: Record<string, HostTensor> = wanted === 'logits' ? { logits } : { drawn, logProb };
  return {
    ids: ids.data,
    lengths: lengths.map(({ last, total }) => ({ last: last.data, total: total.data })),
    temperature: temperature.data,
    uniform: uniform.data,
    logits: logits.data,
    drawn: drawn.data,
    logProb: logProb.data,
    run: session.bind(inputs, { ...results, ...cacheTensors('present', caches) }),
  };
}

const cacheTensors = (side: 'past' | 'present', caches: readonly CachedSlot[]): Record<string, DeviceTensor> =>
  Object.fromEntries(
    caches.flatMap(({ tensors }, row) =>
      Object.entries(tensors).map(([name, tensor]) => [`${side}.${row}.${name}`, tensor] as const),
    ),
  );
