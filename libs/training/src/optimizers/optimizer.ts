/** One parameter as an optimizer sees it; `value` is changed in place. */
export interface Trainable {
  readonly name: string;
  readonly shape: readonly number[];
  readonly value: Float32Array;
  readonly gradient: Float32Array;
}

/** Everything an optimizer must remember to go on bit for bit: a step count and named arrays. */
export interface OptimizerState {
  readonly step: number;
  readonly arrays: ReadonlyMap<string, Float32Array>;
}

export interface Optimizer {
  /** One step; every gradient is multiplied by `gradientScale` as it is read. */
  update(parameters: readonly Trainable[], gradientScale: number, learningRate: number): void | Promise<void>;
  /** The live arrays, not copies. */
  state(): OptimizerState;
  /** Takes over a saved state; the arrays are copied. */
  restore(state: OptimizerState): void;
}
