/** A decoding sequence: where it is, and which others (same weights) may share a run with it. */
export interface PlacedSequence {
  readonly slot: number;
  readonly group: string;
}

/** Consecutive slots decoded in one run. */
export interface DecodeRun {
  readonly group: string;
  readonly start: number;
  readonly count: number;
}

export type Swap = readonly [number, number];

/** Runs of neighbouring slots with the same weights. */
export function decodeRuns(sequences: readonly PlacedSequence[]): DecodeRun[] {
  const runs: { group: string; start: number; count: number }[] = [];
  for (const { slot, group } of sequences.toSorted((a, b) => a.slot - b.slot)) {
    const last = runs.at(-1);
    if (last && last.group === group && last.start + last.count === slot) last.count += 1;
    else runs.push({ group, start: slot, count: 1 });
  }
  return runs;
}

/**
 * Slot exchanges after which every group lies side by side, one run each. Groups keep their order of first slot, and
 * sequences already inside their group's range stay, so that one arrival or departure costs one exchange per group.
 * No exchange when there is nothing to gain.
 */
export function arrange(sequences: readonly PlacedSequence[]): Swap[] {
  const sizes = new Map<string, number>();
  for (const { group } of sequences.toSorted((a, b) => a.slot - b.slot)) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  if (decodeRuns(sequences).length === sizes.size) return [];
  const at = new Map(sequences.map(({ slot, group }) => [slot, group]));
  const swaps: Swap[] = [];
  let start = 0;
  for (const [group, size] of sizes) {
    const end = start + size;
    const outside = [...at].filter(([slot, other]) => other === group && (slot < start || slot >= end));
    for (let slot = start; slot < end; slot++) {
      if (at.get(slot) === group) continue;
      const [from] = outside.pop()!;
      swaps.push([slot, from]);
      exchange(at, slot, from);
    }
    start = end;
  }
  return swaps;
}

function exchange(at: Map<number, string>, a: number, b: number) {
  const [groupA, groupB] = [at.get(a), at.get(b)];
  at.delete(a);
  at.delete(b);
  if (groupB !== undefined) at.set(a, groupB);
  if (groupA !== undefined) at.set(b, groupA);
}
