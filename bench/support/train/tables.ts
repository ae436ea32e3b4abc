/** How our training step's time and memory change with its switches, and with the shape of the batch. */
import { printTable } from '../report.js';
import type { TrainCase } from './case.js';
import { Contender } from './contender.js';

export interface Findings {
  readonly ratios: Record<string, number>;
  readonly figures: Record<string, number>;
}

/** Of one kind of step: the least of some rounds, which other programs disturb least. */
interface Cost {
  readonly processorMs: number;
  readonly peakMb: number;
}

const THREADS = 2;
/** More tokens would say nothing new and take minutes. */
const MOST_TOKENS = 16_384;
const LENGTHS = [128, 256, 512, 1024, 2048];
const BATCHES = [1, 4, 16];

/** What activation checkpointing and a head in parts save and cost, over fp32 weights and over 8-bit ones. */
export async function switches(name: string, one: TrainCase, { ratios, figures }: Findings): Promise<void> {
  const variants: Record<string, TrainCase> = {
    plain: one,
    'head in 4 parts': { ...one, switches: { headChunks: 4 } },
    checkpointing: { ...one, switches: { activationCheckpointing: true } },
    both: { ...one, switches: { activationCheckpointing: true, headChunks: 4 } },
    'int8 base': { ...one, baseWeights: 'int8' },
    'int8 base, both': { ...one, baseWeights: 'int8', switches: { activationCheckpointing: true, headChunks: 4 } },
  };
  const costs = new Map<string, Cost>();
  for (const [key, variant] of Object.entries(variants)) costs.set(key, await cost(variant, 4));
  const plain = costs.get('plain')!;
  const rows = [...costs].map(([key, { processorMs, peakMb }]) => {
    figures[`${name}, ${key}, processor ms a step`] = processorMs;
    figures[`${name}, ${key}, peak MB`] = peakMb;
    ratios[`${name}, ${key}/plain: time`] = processorMs / plain.processorMs;
    ratios[`${name}, ${key}/plain: memory`] = peakMb / plain.peakMb;
    return [`${name}, ${key}`, processorMs, peakMb];
  });
  printTable(['switches', 'least processor ms a step', 'peak MB'], rows);
}

/** How the cost of a token grows with the length of rows and with their number. */
export async function grid({ figures }: Findings): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const length of LENGTHS) {
    const row: (string | number)[] = [`T=${length}`];
    for (const batch of BATCHES) row.push(batch * length > MOST_TOKENS ? '-' : await cell(length, batch, figures));
    rows.push(row);
  }
  printTable(['full 5M, processor µs a token', ...BATCHES.map((batch) => `B=${batch}`)], rows);
}

async function cell(length: number, batch: number, figures: Record<string, number>): Promise<string> {
  const { processorMs, peakMb } = await cost({ model: 'm5', form: 'full', rows: batch, length }, 3);
  const perToken = (processorMs * 1000) / (batch * length);
  figures[`full 5M, T=${length} B=${batch}, processor µs a token`] = perToken;
  figures[`full 5M, T=${length} B=${batch}, peak MB`] = peakMb;
  return `${perToken.toFixed(0)} (${peakMb.toFixed(0)} MB)`;
}

async function cost(one: TrainCase, rounds: number): Promise<Cost> {
  const contender = await Contender.ours({ ...one, sleepy: true }, THREADS);
  await contender.steps(1);
  let found: Cost = { processorMs: Infinity, peakMb: 0 };
  for (let round = 0; round < rounds; round++) {
    const { processorMs, peakMb } = await contender.steps(1);
    found = { processorMs: Math.min(found.processorMs, processorMs), peakMb };
  }
  contender.close();
  return found;
}
