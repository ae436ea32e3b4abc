import { float32, type HostTensor, int32, int64, type TypedTensor } from '@attune/runtime';

/** What a run is told and gives back, besides the KV cache. */
export interface StepTensors {
  readonly ids: TypedTensor<'int64'>;
  readonly lastPositions: TypedTensor<'int32'>;
  readonly longest: TypedTensor<'int32'>;
  readonly pick: TypedTensor<'int64'>;
  readonly logits: TypedTensor<'float32'>;
}

/** Makes the tensors of runs; all of them write their logits to one buffer, which is valid until the next run. */
export class StepTensorMaker {
  private logits = new Float32Array(0);

  constructor(private readonly vocabSize: number) {}

  /** For `rows` sequences of `columns` tokens each, and the logits after `picked` of these tokens. */
  make(rows: number, columns: number, picked: number): StepTensors {
    return {
      ids: int64([rows, columns]),
      lastPositions: int32([rows]),
      longest: int32([]),
      pick: int64([picked]),
      logits: float32([picked, this.vocabSize], this.room(picked * this.vocabSize)),
    };
  }

  private room(size: number): Float32Array {
    if (this.logits.length < size) this.logits = new Float32Array(size);
    return this.logits.subarray(0, size);
  }
}

/** Sets the tokens of one sequence at positions `start` and on, and which of their logits are wanted. */
export function placeTokens(
  step: StepTensors,
  tokens: readonly number[],
  start: number,
  picks: readonly number[],
): void {
  tokens.forEach((token, i) => (step.ids.data[i] = BigInt(token)));
  step.lastPositions.data[0] = start + tokens.length - 1;
  step.longest.data[0] = start + tokens.length;
  picks.forEach((row, i) => (step.pick.data[i] = BigInt(row)));
}

/** The inputs without the output. */
export function stepInputs({ ids, lastPositions, longest, pick }: StepTensors): Record<string, HostTensor> {
  return { ids, lastPositions, longest, pick };
}
