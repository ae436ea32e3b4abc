/** What every benchmark ends with: a table for people, then one line of JSON for programs. */
export interface BenchResult {
  readonly name: string;
  /** Ours over the peer's in one interleaved run: what may be quoted, since machines differ and are noisy. */
  readonly ratios: Readonly<Record<string, number>>;
  /** Absolute figures with their unit in the name, e.g. `tokensPerSecond`, `p99Ms`. */
  readonly figures: Readonly<Record<string, number>>;
}

/** Prints the rows under their header, columns aligned. */
export function printTable(header: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const cells = [header, ...rows].map((row) => row.map((cell) => (typeof cell === 'number' ? round(cell) : cell)));
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padStart(widths[column])).join('  ');
  process.stdout.write(`${cells.map(line).join('\n')}\n\n`);
}

/** Prints the closing JSON line. */
export function printResult(result: BenchResult): void {
  process.stdout.write(
    `${JSON.stringify(result, (_, value) => (typeof value === 'number' ? Number(round(value)) : value))}\n`,
  );
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The value below which `share` of the values lie (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/**
 * Runs the contenders in turn (A B A B …), `rounds` times after one warm-up of each, so that a drift of the machine
 * hits all alike. Each returns its own figure; the answer holds every figure by name.
 */
export async function interleave<Name extends string>(
  contenders: Readonly<Record<Name, () => Promise<number>>>,
  rounds: number,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(contenders) as Name[];
  const figures = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (const name of names) await contenders[name]();
  for (let round = 0; round < rounds; round++) for (const name of names) figures[name].push(await contenders[name]());
  return figures;
}

const round = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
