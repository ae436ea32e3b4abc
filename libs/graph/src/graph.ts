import { monomial, opaqueTerms } from './dims.js';
import { inferShapes } from './shapes.js';
import { type Attributes, type DType, type Dim, int, type Shape, type Tensor, type TensorSpec } from './types.js';
import type { TypedArray } from './types.js';

/** One operator call. `outputs` may hold unused optional outputs; a null input is an omitted optional input. */
export interface Node {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly (Tensor | null)[];
  readonly outputs: readonly Tensor[];
  readonly attrs: Attributes;
  readonly composite: Composite | null;
  readonly segment: Segment | null;
}

/** Nodes whose values the backward pass computes again from `inputs` instead of keeping them since the forward pass. */
export interface Segment {
  readonly inputs: readonly Tensor[];
}

/** A group of nodes that counts as one operator with its own derivative; `saved` is what that derivative reuses. */
export interface Composite {
  readonly kind: string;
  readonly inputs: readonly Tensor[];
  outputs: readonly Tensor[];
  saved: Readonly<Record<string, Tensor>>;
  readonly options: Readonly<Record<string, number>>;
}

export interface Initializer extends TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Null when whoever runs the graph supplies the values (ONNX Runtime's AddInitializer). */
  readonly data: TypedArray | null;
}

export interface EmitOptions {
  readonly attrs?: Attributes;
  readonly domain?: string;
  /** Needed where shapes.ts has no row for the op, or the shape depends on data. */
  readonly outputs?: readonly TensorSpec[];
  readonly name?: string;
}

/** An ONNX graph under construction. Shapes may be symbolic; symbols are read from the inputs at run time. */
export class Graph {
  readonly nodes: Node[] = [];
  readonly inputs: Tensor[] = [];
  readonly outputs: { readonly name: string; readonly tensor: Tensor }[] = [];
  readonly initializers = new Map<string, Initializer>();
  private readonly constants = new Map<string, Tensor>();
  private readonly sizes = new Map<Dim, Tensor>();
  private readonly names = new Set<string>();
  private open: Composite | null = null;
  private segment: Segment | null = null;
  private count = 0;

  constructor(readonly name: string) {}

  /** A value the caller feeds on every run. */
  input(name: string, dtype: DType, shape: Shape): Tensor {
    const tensor = { name: this.claim(name), dtype, shape };
    this.inputs.push(tensor);
    return tensor;
  }

  /** A weight stored in the model, or, without `data`, one that the session is given when it is created. */
  initializer(name: string, dtype: DType, shape: readonly number[], data: TypedArray | null = null): Tensor {
    this.initializers.set(this.claim(name), { name, dtype, shape, data });
    return { name, dtype, shape };
  }

  /** A literal; small equal literals share one initializer. */
  constant(dtype: DType, shape: readonly number[], data: TypedArray): Tensor {
    const key = data.length <= 64 ? `${dtype}[${shape.join()}]${bytesKey(data)}` : `#${this.count}`;
    const known = this.constants.get(key);
    if (known) return known;
    const made = this.initializer(this.fresh('const'), dtype, shape, data);
    this.constants.set(key, made);
    return made;
  }

  /** A rank-0 literal. */
  scalar(value: number, dtype: 'float32' | 'int64' = 'float32'): Tensor {
    return this.constant(dtype, [], dtype === 'float32' ? Float32Array.of(value) : BigInt64Array.of(BigInt(value)));
  }

  /** A rank-1 int64 literal, as axes, starts and shapes want it. */
  ints(values: readonly number[]): Tensor {
    return this.constant('int64', [values.length], BigInt64Array.from(values, BigInt));
  }

  /** Appends a node. Output shapes come from shapes.ts unless given. */
  emit(op: string, inputs: readonly (Tensor | null)[], options: EmitOptions = {}): Tensor[] {
    const { attrs = {}, domain = '' } = options;
    const specs = options.outputs ?? inferShapes(op, inputs, attrs);
    const outputs = specs.map((spec, i) => ({
      name: this.claim(this.fresh(i === 0 && options.name ? options.name : op)),
      dtype: spec.dtype,
      shape: spec.shape,
    }));
    const name = `${op}_${this.nodes.length}`;
    this.nodes.push({ name, op, domain, inputs, outputs, attrs, composite: this.open, segment: this.segment });
    return outputs;
  }

  /**
   * Emits nodes that autograd treats as one operator of the given kind. `build` returns the outputs and the
   * intermediate values that the derivative of this kind reuses. The outermost composite wins.
   */
  composite(
    kind: string,
    inputs: readonly Tensor[],
    build: () => { outputs: readonly Tensor[]; saved?: Readonly<Record<string, Tensor>> },
    options: Readonly<Record<string, number>> = {},
  ): readonly Tensor[] {
    if (this.open) return build().outputs;
    const composite: Composite = { kind, inputs, outputs: [], saved: {}, options };
    this.open = composite;
    try {
      const { outputs, saved = {} } = build();
      composite.outputs = outputs;
      composite.saved = saved;
      return outputs;
    } finally {
      this.open = null;
    }
  }

  /**
   * Emits nodes that autograd computes a second time, from `inputs`, when it needs their values: memory for time
   * (Chen et al. 2016, https://arxiv.org/abs/1604.06174). The outermost segment wins.
   */
  recomputed<T>(inputs: readonly Tensor[], build: () => T): T {
    if (this.segment) return build();
    this.segment = { inputs };
    try {
      return build();
    } finally {
      this.segment = null;
    }
  }

  /** Says where the size of a symbolic dim that no input has is read from: an int64 tensor of shape [1]. */
  nameSize(symbol: string, size: Tensor): void {
    if (this.sizes.has(symbol)) throw new Error(`graph "${this.name}" already knows the dimension "${symbol}"`);
    this.sizes.set(symbol, size);
  }

  /** Makes `tensor` an output of the model under a public name. */
  output(name: string, tensor: Tensor): void {
    this.outputs.push({ name: this.claim(name), tensor });
  }

  /** The run-time value of a dim as an int64 tensor of shape [1]; symbols are read off the inputs' shapes. */
  size(dim: Dim): Tensor {
    if (typeof dim === 'number') return this.ints([dim]);
    const known = this.sizes.get(dim);
    if (known) return known;
    const { coefficient, symbols } = monomial(dim);
    const factors = symbols.map((symbol) => this.symbolSize(symbol));
    if (coefficient !== 1) factors.unshift(this.ints([coefficient]));
    const made = factors.reduce((all, factor) => this.emit('Mul', [all, factor])[0]!);
    this.sizes.set(dim, made);
    return made;
  }

  /** A shape as an int64 tensor of shape [rank], for Reshape, Expand and ConstantOfShape. */
  shapeTensor(shape: Shape): Tensor {
    if (shape.every((dim) => typeof dim === 'number')) return this.ints(shape as number[]);
    const key = `[${shape.join(',')}]`;
    const known = this.sizes.get(key);
    if (known) return known;
    const parts = shape.map((dim) => this.size(dim));
    const made = this.emit('Concat', parts, {
      attrs: { axis: int(0) },
      outputs: [{ dtype: 'int64', shape: [shape.length] }],
    })[0]!;
    this.sizes.set(key, made);
    return made;
  }

  private symbolSize(symbol: string): Tensor {
    const known = this.sizes.get(symbol);
    if (known) return known;
    const made = this.opaqueSize(symbol) ?? this.inputSize(symbol);
    this.sizes.set(symbol, made);
    return made;
  }

  private opaqueSize(symbol: string): Tensor | null {
    const terms = opaqueTerms(symbol);
    if (!terms) return null;
    return this.emit(terms.sign === '+' ? 'Add' : 'Sub', [this.size(terms.left), this.size(terms.right)])[0]!;
  }

  private inputSize(symbol: string): Tensor {
    const source = this.inputs.find((input) => input.shape.includes(symbol));
    if (!source) throw new Error(`graph "${this.name}" has no input whose shape names the dimension "${symbol}"`);
    const shape = this.emit('Shape', [source], { outputs: [{ dtype: 'int64', shape: [source.shape.length] }] })[0]!;
    const at = this.ints([source.shape.indexOf(symbol)]);
    return this.emit('Gather', [shape, at], { outputs: [{ dtype: 'int64', shape: [1] }] })[0]!;
  }

  private claim(name: string): string {
    if (this.names.has(name)) throw new Error(`graph "${this.name}" already has a value called "${name}"`);
    this.names.add(name);
    return name;
  }

  private fresh(prefix: string): string {
    return `${prefix}:${this.count++}`;
  }
}

function bytesKey(data: TypedArray): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
}
