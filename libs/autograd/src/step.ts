import type { Attributes, Composite, Graph, Node, Segment, Tensor } from '@attune/graph';

/** One differentiable step of a graph: a plain node, or a composite that counts as one operator. */
export interface Step {
  readonly kind: string;
  readonly inputs: readonly (Tensor | null)[];
  readonly outputs: readonly Tensor[];
  readonly attrs: Attributes;
  /** Intermediate values of a composite, by name. */
  readonly saved: Readonly<Record<string, Tensor>>;
  readonly options: Readonly<Record<string, number>>;
  /** The segment it is recomputed with, or null when its values are kept. */
  readonly segment: Segment | null;
}

/**
 * What a step adds to the gradient of one of its inputs: a tensor of that input's shape, or a function that adds
 * onto what others have contributed (null: nothing yet), for kernels that accumulate for free.
 */
export type Contribution = Tensor | ((sumSoFar: Tensor | null) => Tensor);

export interface VjpContext {
  readonly g: Graph;
  readonly step: Step;
  /** Gradient of each output; null where the loss does not depend on it. */
  readonly grads: readonly (Tensor | null)[];
  /** Whether the gradient of input i is wanted. */
  readonly needs: (i: number) => boolean;
}

/** Vector-Jacobian product: gradients of the outputs in, contributions to the inputs out, in input order. */
export type Vjp = (context: VjpContext) => (Contribution | null)[];

/** The steps of a graph in execution order; nodes inside a composite appear as that composite, once. */
export function stepsOf(g: Graph): Step[] {
  const seen = new Set<Composite>();
  const steps: Step[] = [];
  for (const node of g.nodes) {
    if (!node.composite) steps.push(plainStep(node));
    else if (!seen.has(node.composite)) {
      seen.add(node.composite);
      steps.push({ ...node.composite, attrs: {}, segment: node.segment });
    }
  }
  return steps;
}

function plainStep(node: Node): Step {
  const { op: kind, inputs, outputs, attrs, segment } = node;
  return { kind, inputs, outputs, attrs, saved: {}, options: {}, segment };
}
