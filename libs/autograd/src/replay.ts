import { concat, type Graph, type Node, type Segment, slice, type Tensor } from '@attune/graph';
import type { Step } from './step.js';

type Renaming = ReadonlyMap<string, Tensor>;

/** Gives steps of recomputed segments the values of a second run, emitted when the first of its steps is reached. */
export class Replays {
  private readonly known = new Map<Segment, Renaming>();
  private readonly nodes: readonly Node[];

  constructor(private readonly g: Graph) {
    this.nodes = [...g.nodes];
  }

  /** The step over recomputed values, or the step itself when its values are kept. */
  of(step: Step, grads: readonly (Tensor | null)[]): Step {
    if (!step.segment) return step;
    const renamed = this.replay(
      step.segment,
      grads.find((grad) => grad !== null)!,
    );
    const now = <T extends Tensor | null>(tensor: T): T => ((tensor && renamed.get(tensor.name)) ?? tensor) as T;
    return {
      ...step,
      inputs: step.inputs.map(now),
      outputs: step.outputs.map(now),
      saved: Object.fromEntries(Object.entries(step.saved).map(([name, tensor]) => [name, now(tensor)])),
    };
  }

  private replay(segment: Segment, trigger: Tensor): Renaming {
    const known = this.known.get(segment);
    if (known) return known;
    const renamed = new Map(segment.inputs.map((input) => [input.name, after(this.g, trigger, input)]));
    for (const node of this.nodes) if (node.segment === segment) this.repeat(node, renamed);
    this.known.set(segment, renamed);
    return renamed;
  }

  /** Emits a node again if it depends on what was renamed; the values of others are still there. */
  private repeat({ op, domain, inputs, outputs, attrs }: Node, renamed: Map<string, Tensor>): void {
    if (!inputs.some((input) => input && renamed.has(input.name))) return;
    const now = inputs.map((input) => (input && renamed.get(input.name)) ?? input);
    this.g.emit(op, now, { domain, attrs, outputs }).forEach((output, i) => renamed.set(outputs[i]!.name, output));
  }
}

/**
 * The same value, available only once `trigger` is: a reshape to its own shape, where that shape is read out of a list
 * that also holds the trigger's. Without such a tie ONNX Runtime would see two equal computations and keep one of them.
 */
function after(g: Graph, trigger: Tensor, x: Tensor): Tensor {
  const shapeOf = (tensor: Tensor) =>
    g.emit('Shape', [tensor], { outputs: [{ dtype: 'int64', shape: [tensor.shape.length] }] })[0]!;
  const both = concat(g, [shapeOf(x), shapeOf(trigger)], 0);
  const own = slice(g, both, 0, 0, x.shape.length);
  return g.emit('Reshape', [x, own], { outputs: [{ dtype: x.dtype, shape: x.shape }] })[0]!;
}
