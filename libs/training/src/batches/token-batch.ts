import { InvalidRequestError } from '@attune/platform';

/** Token rows as the training graphs read them; every array is [rows, length], row-major. */
export interface TokenBatch {
  readonly rows: number;
  readonly length: number;
  readonly ids: BigInt64Array;
  /** The next token of the same sequence; 0 where there is none. */
  readonly labels: BigInt64Array;
  /** How much predicting `labels` counts; 0 = not at all. */
  readonly weights: Float32Array;
  /** Position within the sequence, from 0. */
  readonly positions: BigInt64Array;
  /** Which sequence of the row a token belongs to, from 1; 0 = padding. Tokens see only their own segment. */
  readonly segments: BigInt64Array;
}

/** Tokens and, for each, how much the model is trained to say it (the first token's weight has no effect). */
export interface WeightedSequence {
  readonly ids: readonly number[];
  readonly weights: readonly number[];
}

/** One sequence a row, padded on the right to the longest (or to `length`). */
export function padSequences(sequences: readonly WeightedSequence[], length?: number): TokenBatch {
  const longest = Math.max(1, ...sequences.map(({ ids }) => ids.length));
  const batch = emptyBatch(sequences.length, length ?? longest);
  sequences.forEach((sequence, row) => place(batch, row, 0, 1, sequence));
  return batch;
}

/** The rows of a batch with more sequences under them, one a row, all padded to the longest. */
export function withRows(batch: TokenBatch, sequences: readonly WeightedSequence[]): TokenBatch {
  if (sequences.length === 0) return batch;
  const grown = emptyBatch(
    batch.rows + sequences.length,
    Math.max(batch.length, ...sequences.map(({ ids }) => ids.length)),
  );
  for (let row = 0; row < batch.rows; row++) copyRow(batch, grown, row);
  sequences.forEach((sequence, i) => place(grown, batch.rows + i, 0, 1, sequence));
  return grown;
}

export interface Packing {
  readonly batch: TokenBatch;
  /** Sequences that did not fit, in their order. */
  readonly left: readonly WeightedSequence[];
}

/** Fills rows of one length with as many sequences as fit, first fit in the given order. */
export function packSequences(sequences: readonly WeightedSequence[], rows: number, length: number): Packing {
  const batch = emptyBatch(rows, length);
  const used = new Int32Array(rows);
  const segments = new Int32Array(rows);
  const left: WeightedSequence[] = [];
  for (const sequence of sequences) {
    const row = used.findIndex((taken) => taken + sequence.ids.length <= length);
    if (row < 0) {
      left.push(sequence);
      continue;
    }
    place(batch, row, used[row]!, ++segments[row]!, sequence);
    used[row]! += sequence.ids.length;
  }
  return { batch, left };
}

/**
 * All sequences in as few rows as first fit finds, longest first, each row as long as the longest: where lengths differ
 * much, half the tokens of padded rows are padding. Only for what reads single tokens of a sequence.
 * @returns `last`: for each sequence, in the order given, the flat index of its last token
 */
export function packWhole(sequences: readonly WeightedSequence[]): { batch: TokenBatch; last: number[] } {
  const length = Math.max(1, ...sequences.map(({ ids }) => ids.length));
  const byLength = sequences.map((_, i) => i).sort((a, b) => sequences[b]!.ids.length - sequences[a]!.ids.length);
  const rows: number[][] = [];
  const used: number[] = [];
  for (const i of byLength) {
    const size = sequences[i]!.ids.length;
    const fitting = used.findIndex((taken) => taken + size <= length);
    const row = fitting < 0 ? rows.push([]) - 1 : fitting;
    rows[row]!.push(i);
    used[row] = (used[row] ?? 0) + size;
  }
  const batch = emptyBatch(rows.length, length);
  const last = sequences.map(() => 0);
  rows.forEach((members, row) => {
    let start = 0;
    members.forEach((i, before) => {
      place(batch, row, start, before + 1, sequences[i]!);
      start += sequences[i]!.ids.length;
      last[i] = row * length + start - 1;
    });
  });
  return { batch, last };
}

/** Sum of the weights: what a mean over tokens divides by. */
export const totalWeight = (batch: TokenBatch): number => batch.weights.reduce((all, weight) => all + weight, 0);

function emptyBatch(rows: number, length: number): TokenBatch {
  const size = rows * length;
  return {
    rows,
    length,
    ids: new BigInt64Array(size),
    labels: new BigInt64Array(size),
    weights: new Float32Array(size),
    positions: new BigInt64Array(size),
    segments: new BigInt64Array(size),
  };
}

function copyRow(from: TokenBatch, to: TokenBatch, row: number): void {
  const [start, end, at] = [row * from.length, (row + 1) * from.length, row * to.length];
  for (const name of ['ids', 'labels', 'positions', 'segments'] as const)
    to[name].set(from[name].subarray(start, end), at);
  to.weights.set(from.weights.subarray(start, end), at);
}

function place(batch: TokenBatch, row: number, start: number, segment: number, sequence: WeightedSequence): void {
  const { ids, weights } = sequence;
  if (start + ids.length > batch.length)
    throw new InvalidRequestError(`a sequence of ${ids.length} tokens does not fit a row of ${batch.length}`);
  for (let i = 0; i < ids.length; i++) {
    const at = row * batch.length + start + i;
    batch.ids[at] = BigInt(ids[i]!);
    batch.positions[at] = BigInt(i);
    batch.segments[at] = BigInt(segment);
    if (i + 1 >= ids.length) continue;
    batch.labels[at] = BigInt(ids[i + 1]!);
    batch.weights[at] = weights[i + 1]!;
  }
}
