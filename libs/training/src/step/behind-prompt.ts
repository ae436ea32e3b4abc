import {
  add,
  concat,
  type Dim,
  expand,
  type Graph,
  range,
  reshape,
  segmentMask,
  slice,
  type Tensor,
} from '@attune/graph';
import type { ModelInputs } from '@attune/models';

/** The segment of virtual tokens: no sequence has it, so they see one another only. */
const PROMPT_SEGMENT = -1;

interface Rows {
  /** [B·T, hidden] */
  readonly embeds: Tensor;
  /** int64 [B, T] each. */
  readonly positions: Tensor;
  readonly segments: Tensor;
}

/**
 * Runs a model with a soft prompt [n, hidden] before every sequence and gives the hidden states [B·T, hidden] of the real
 * tokens. The prompt stands once at the head of each row: virtual tokens see none of the others, so all sequences packed
 * into a row share them exactly, each counting its own positions from n on.
 */
export function behindPrompt(
  g: Graph,
  prompt: Tensor,
  { embeds, positions, segments }: Rows,
  run: (inputs: ModelInputs) => Tensor,
): Tensor {
  const [batch, time] = positions.shape as [Dim, Dim];
  const [count, hidden] = prompt.shape as [number, number];
  const ahead = (values: Tensor) => expand(g, reshape(g, values, [1, ...values.shape]), [batch, ...values.shape]);
  const joined = concat(g, [ahead(prompt), reshape(g, embeds, [batch, time, hidden])], 1);
  const longer = joined.shape[1]!;
  const marks = g.constant('int64', [count], new BigInt64Array(count).fill(BigInt(PROMPT_SEGMENT)));
  const allPositions = concat(g, [ahead(range(g, count)), add(g, positions, g.scalar(count, 'int64'))], 1);
  const allSegments = concat(g, [ahead(marks), segments], 1);
  const states = run({
    ids: null,
    embeds: reshape(g, joined, [-1, hidden]),
    positions: allPositions,
    mask: segmentMask(g, allSegments, allPositions, PROMPT_SEGMENT),
  });
  const byRow = reshape(g, states, [batch, longer, hidden]);
  return reshape(g, slice(g, byRow, 1, count, longer), [-1, hidden]);
}
