import { add, expand, type Graph, isFloat, sameShape, type Tensor, zeros } from '@attune/graph';
import { type Contribution, type Step, stepsOf } from './step.js';
import { Replays } from './replay.js';
import { vjpOf } from './vjp.js';

/**
 * Reverse-mode derivatives of a scalar (or of the sum of `loss`) with respect to some values of the graph. The
 * gradients are ordinary nodes appended to the same graph, each with the shape of its value; a value that the loss
 * does not depend on gets zeros.
 */
export function gradient(g: Graph, loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  const steps = stepsOf(g);
  const active = activeNames(steps, wrt);
  const ledger = new Ledger(g);
  const replays = new Replays(g);
  ledger.credit(loss, expand(g, g.scalar(1), loss.shape));
  for (const step of steps.reverse()) {
    if (!step.outputs.some((output) => active.has(output.name))) continue;
    const grads = step.outputs.map((output) => ledger.total(output));
    if (grads.every((grad) => grad === null)) continue;
    const needs = (i: number): boolean => active.has(step.inputs[i]?.name ?? '');
    const contributions = vjpOf(step)({ g, step: replays.of(step, grads), grads, needs });
    contributions.forEach((contribution, i) => {
      if (contribution && needs(i)) ledger.credit(step.inputs[i]!, contribution);
    });
  }
  return wrt.map((value) => ledger.total(value) ?? zeros(g, value.shape));
}

/** Names of the values that depend on a differentiated one through floats: the only ones worth a gradient. */
function activeNames(steps: readonly Step[], wrt: readonly Tensor[]): Set<string> {
  const active = new Set(wrt.map((value) => value.name));
  for (const step of steps) {
    if (step.kind === 'StopGradient') continue;
    if (!step.inputs.some((input) => input && active.has(input.name))) continue;
    for (const output of step.outputs) if (isFloat(output.dtype)) active.add(output.name);
  }
  return active;
}

/** What each value has been credited with so far, summed only when it is asked for. */
class Ledger {
  private readonly entries = new Map<string, Contribution[]>();

  constructor(private readonly g: Graph) {}

  credit(value: Tensor, contribution: Contribution): void {
    const known = this.entries.get(value.name);
    if (known) known.push(contribution);
    else this.entries.set(value.name, [contribution]);
  }

  /** Plain tensors are added first, so that accumulating contributions can add onto their sum in one kernel. */
  total(value: Tensor): Tensor | null {
    const entries = this.entries.get(value.name);
    if (!entries) return null;
    let sum: Tensor | null = null;
    for (const entry of entries) if (typeof entry !== 'function') sum = sum ? add(this.g, sum, entry) : entry;
    for (const entry of entries) if (typeof entry === 'function') sum = entry(sum);
    if (!sameShape(sum!.shape, value.shape))
      throw new Error(`gradient of ${value.name} [${value.shape.join()}] came out as [${sum!.shape.join()}]`);
    this.entries.set(value.name, [sum!]);
    return sum;
  }
}
