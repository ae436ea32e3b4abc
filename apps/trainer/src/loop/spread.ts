import type { Row } from './experiment.js';

/** A figure over several seeds. */
export interface Spread {
  readonly mean: number;
  readonly lowest: number;
  readonly highest: number;
}

/** Rows of several seeds, variant by variant in the order they first came, each figure with its spread. */
export function spreadOf(rows: readonly Row[]): { variant: string; figures: Record<string, Spread | null> }[] {
  const variants = [...new Set(rows.map(({ variant }) => variant))];
  return variants.map((variant) => {
    const of = rows.filter((row) => row.variant === variant);
    const names = [...new Set(of.flatMap(({ figures }) => Object.keys(figures)))];
    return { variant, figures: Object.fromEntries(names.map((name) => [name, spread(of, name)])) };
  });
}

/** "0.91 (0.88–0.94)", or the one value there is. */
export function formatSpread(spread: Spread | null): string {
  if (spread === null) return '–';
  const { mean, lowest, highest } = spread;
  const short = (value: number) => String(Number(value.toPrecision(3)));
  return lowest === highest ? short(mean) : `${short(mean)} (${short(lowest)}–${short(highest)})`;
}

function spread(rows: readonly Row[], name: string): Spread | null {
  const values = rows.flatMap(({ figures }) => figures[name] ?? []);
  if (values.length === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, lowest: Math.min(...values), highest: Math.max(...values) };
}
