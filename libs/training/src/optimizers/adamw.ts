import type { Optimizer, OptimizerState, Trainable } from './optimizer.js';

export interface AdamWOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled decay, applied to matrices only: norms and biases are left alone. */
  readonly weightDecay: number;
  /** What the learning rate of a parameter is multiplied by, by its name; 1 for those that are left out. */
  readonly rateScales: ReadonlyMap<string, number>;
}

const ADAMW_DEFAULTS: AdamWOptions = {
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  weightDecay: 0.1,
  rateScales: new Map(),
};

/** AdamW (Loshchilov & Hutter 2019, algorithm 2), moments in float32, about 5 ns a parameter. */
export class AdamW implements Optimizer {
  readonly options: AdamWOptions;
  private readonly moments = new Map<string, { first: Float32Array; second: Float32Array }>();
  private step = 0;

  constructor(options: Partial<AdamWOptions> = {}) {
    this.options = { ...ADAMW_DEFAULTS, ...options };
  }

  update(parameters: readonly Trainable[], gradientScale: number, learningRate: number): void {
    this.step++;
    for (const parameter of parameters)
      this.updateOne(parameter, gradientScale, learningRate * (this.options.rateScales.get(parameter.name) ?? 1));
  }

  state(): OptimizerState {
    const arrays = new Map<string, Float32Array>();
    for (const [name, { first, second }] of this.moments) {
      arrays.set(`${name}/first`, first);
      arrays.set(`${name}/second`, second);
    }
    return { step: this.step, arrays };
  }

  restore({ step, arrays }: OptimizerState): void {
    this.adopt({ step, arrays: new Map([...arrays].map(([key, values]) => [key, values.slice()])) });
  }

  /** As `restore`, but the arrays become its own. */
  adopt({ step, arrays }: OptimizerState): void {
    this.step = step;
    this.moments.clear();
    for (const [key, first] of arrays) {
      if (!key.endsWith('/first')) continue;
      const name = key.slice(0, -'/first'.length);
      this.moments.set(name, { first, second: arrays.get(`${name}/second`)! });
    }
  }

  private updateOne({ name, shape, value, gradient }: Trainable, scale: number, learningRate: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this.options;
    const { first, second } = this.momentsOf(name, value.length);
    const rate = learningRate / (1 - beta1 ** this.step);
    const rootCorrection = 1 / Math.sqrt(1 - beta2 ** this.step);
    const keep = shape.length >= 2 ? 1 - learningRate * weightDecay : 1;
    const [fresh1, fresh2] = [1 - beta1, 1 - beta2];
    for (let i = 0; i < value.length; i++) {
      const g = gradient[i]! * scale;
      const m = first[i]! * beta1 + g * fresh1;
      const v = second[i]! * beta2 + g * g * fresh2;
      first[i] = m;
      second[i] = v;
      value[i] = value[i]! * keep - (rate * m) / (Math.sqrt(v) * rootCorrection + epsilon);
    }
  }

  private momentsOf(name: string, length: number) {
    let found = this.moments.get(name);
    if (!found) {
      found = { first: new Float32Array(length), second: new Float32Array(length) };
      this.moments.set(name, found);
    }
    return found;
  }
}
