import { createRandom, deriveSeed } from '@attune/platform';

export interface MixtureRules {
  /** Most rows of one task; 0 = no cap. */
  readonly capPerTask: number;
  /** T of temperature mixing: a task's share goes with rows^(1/T). */
  readonly temperature: number;
  /** Most rows altogether; 0 = as many as the caps leave. */
  readonly maxRows: number;
  readonly seed: number;
}

/**
 * A FLAN-style mixture (Wei et al. 2021, section 2.1; Raffel et al. 2020, section 3.5.2): each task's rows are shuffled
 * and capped, then every task gets its share of the whole, rows^(1/T) with rows counted up to the cap. A task never gives
 * more rows than it has; what it leaves over goes to the others. Rows keep their order within the result.
 */
export function mixTasks<T>(rows: readonly T[], taskOf: (row: T) => string, rules: MixtureRules): T[] {
  const places = new Map<string, number[]>();
  rows.forEach((row, i) => {
    const task = taskOf(row);
    const known = places.get(task);
    if (known) known.push(i);
    else places.set(task, [i]);
  });
  const capped = [...places].map(([task, all]) => {
    const order = createRandom(deriveSeed(rules.seed, 'mixture', task)).shuffle(all);
    return rules.capPerTask > 0 ? order.slice(0, rules.capPerTask) : order;
  });
  const shares = shareOut(
    capped.map(({ length }) => length),
    rules,
  );
  const chosen = new Set(capped.flatMap((order, i) => order.slice(0, shares[i])));
  return rows.filter((_, i) => chosen.has(i));
}

/** How many rows each task gives, by largest remainder; tasks that have too few leave their part to the others. */
export function shareOut(
  sizes: readonly number[],
  { temperature, maxRows }: Omit<MixtureRules, 'seed' | 'capPerTask'>,
): number[] {
  const available = total(sizes);
  const wanted = maxRows > 0 ? Math.min(maxRows, available) : available;
  const weights = sizes.map((size) => size ** (1 / temperature));
  const given = new Map<number, number>();
  for (;;) {
    const left = wanted - total([...given.values()]);
    const open = sizes.flatMap((_, i) => (given.has(i) ? [] : [i]));
    const sum = total(open.map((i) => weights[i]!));
    const shares = open.map((i) => ({ i, share: (left * weights[i]!) / sum }));
    const short = shares.filter(({ i, share }) => share >= sizes[i]!);
    if (short.length === 0) {
      for (const [i, count] of wholeShares(shares, left)) given.set(i, count);
      return sizes.map((_, i) => given.get(i) ?? 0);
    }
    for (const { i } of short) given.set(i, sizes[i]!);
  }
}

/** Whole numbers of the same sum: each rounded down, the rest one by one to those that lost most. */
function wholeShares(shares: readonly { i: number; share: number }[], sum: number): [number, number][] {
  const cut = total(shares.map(({ share }) => Math.floor(share)));
  const byLoss = [...shares].sort((a, b) => (b.share % 1) - (a.share % 1) || a.i - b.i);
  return byLoss.map(({ i, share }, place) => [i, Math.floor(share) + Number(place < sum - cut)]);
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
