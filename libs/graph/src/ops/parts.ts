import type { Graph } from '../graph.js';
import type { Dim, Tensor } from '../types.js';
import { add, div, maximum, mul, sub } from './elementwise.js';
import { slice } from './shape.js';

/** An axis cut into parts; all of it is known to the graph, so that shapes may name it. */
export interface Parts {
  /** int64 [parts], as Split takes them. */
  readonly sizes: Tensor;
  readonly dims: readonly Dim[];
  /** Where each part ends; the last one ends with the axis. */
  readonly ends: readonly Dim[];
}

/**
 * Parts of one size, ⌈length / parts⌉, but for the first, which has what is left over; nothing is left for the first
 * ones where there are too many parts. How long the axis is may be known at run time only.
 */
export function equalParts(g: Graph, length: Dim, parts: number): Parts {
  const size = div(g, add(g, g.size(length), g.ints([parts - 1])), g.ints([parts]));
  const upTo = (end: number) => {
    const behind = g.ints(Array.from({ length: parts }, (_, i) => parts - end - i));
    return maximum(g, sub(g, g.size(length), mul(g, behind, size)), g.ints([0]));
  };
  const ends = upTo(1);
  const sizes = sub(g, ends, upTo(0));
  const named = (what: string, values: Tensor) =>
    Array.from({ length: parts }, (_, i) => {
      const dim = `${what} ${i} of ${parts} of ${length}@${sizes.name}`;
      g.nameSize(dim, slice(g, values, 0, i, i + 1));
      return dim;
    });
  return { sizes, dims: named('part', sizes), ends: [...named('end', ends).slice(0, -1), length] };
}
