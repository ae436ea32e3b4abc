/**
 * A training step against PyTorch on the CPU, eager and compiled, taking turns on two threads: all weights of a 5 M
 * parameter model, and LoRA of rank 16 on SmolLM2-135M's shape, over fp32 weights as PyTorch's and beside it over 8-bit
 * ones; rollouts against a naive loop; how cost grows with length and batch; what the memory switches cost.
 *   npm run bench -- train [--python <interpreter with torch>] [--only full,lora,rollouts,switches,grid] [--no-compiled]
 */
import { measureQuietly } from './support/clean.js';
import { median, printResult, printTable } from './support/report.js';
import type { TrainCase } from './support/train/case.js';
import { Contender } from './support/train/contender.js';
import { torchPython } from './support/train/python.js';
import { type Findings, grid, switches } from './support/train/tables.js';

const THREADS = 2;
/** What else of ours stands beside the same case: never in its place, for PyTorch's weights are fp32. */
const OVER_INT8 = { 'ours over int8 base': { baseWeights: 'int8' } } as const;
const options = process.argv.slice(2);
const wanted = (part: string) =>
  !options.includes('--only') || options[options.indexOf('--only') + 1]!.split(',').includes(part);
const python = () => torchPython(options);
const found: Findings = { ratios: {}, figures: {} };
const { ratios, figures } = found;

if (wanted('full')) await duel('full 5M', { model: 'm5', form: 'full', rows: 8, length: 256 }, 3, 5);
if (wanted('lora')) await duel('LoRA 135M', { model: 'smol', form: 'lora', rows: 2, length: 256 }, 1, 5, OVER_INT8);
if (wanted('rollouts')) await rollouts();
if (wanted('switches')) await switches('LoRA 135M', { model: 'smol', form: 'lora', rows: 2, length: 256 }, found);
if (wanted('grid')) await grid(found);
printResult({ name: 'train', ratios, figures });

/** Ours, and variants of it, against PyTorch, round by round in turn. */
async function duel(
  name: string,
  one: TrainCase,
  steps: number,
  rounds: number,
  variants: Readonly<Record<string, Partial<TrainCase>>> = {},
): Promise<void> {
  const contenders: Record<string, Contender> = { ours: await Contender.ours(one, THREADS) };
  for (const [key, variant] of Object.entries(variants))
    contenders[key] = await Contender.ours({ ...one, ...variant }, THREADS);
  Object.assign(contenders, {
    eager: await Contender.torch(python(), one, THREADS, false),
    ...(options.includes('--no-compiled') ? {} : { compiled: await Contender.torch(python(), one, THREADS, true) }),
  });
  const pids = Object.values(contenders).map(({ pid }) => pid);
  const rates: Record<string, number[]> = Object.fromEntries(Object.keys(contenders).map((key) => [key, []]));
  const peaks: Record<string, number> = {};
  const processor: Record<string, number> = {};
  for (const contender of Object.values(contenders)) await contender.steps(2);
  for (let round = 0; round < rounds; round++)
    for (const [key, contender] of Object.entries(contenders)) {
      const { ms } = await measureQuietly(pids, async () => {
        const answer = await contender.steps(steps);
        peaks[key] = answer.peakMb;
        processor[key] = Math.min(processor[key] ?? Infinity, answer.processorMs / steps);
        return answer.ms;
      });
      rates[key]!.push((steps * one.rows * one.length * 1000) / ms);
    }
  for (const contender of Object.values(contenders)) contender.close();
  report(name, rates, peaks, processor);
}

function report(
  name: string,
  rates: Readonly<Record<string, number[]>>,
  peaks: Readonly<Record<string, number>>,
  processor: Readonly<Record<string, number>>,
): void {
  const rows = Object.entries(rates).map(([key, values]) => {
    return [`${name}, ${key}`, median(values), processor[key]!, peaks[key]!];
  });
  printTable(['contender', 'tokens/s', 'least processor ms a step', 'peak MB'], rows);
  for (const [key, values] of Object.entries(rates)) {
    figures[`${name}, ${key}, tokens/s`] = median(values);
    figures[`${name}, ${key}, least processor ms a step`] = processor[key]!;
    figures[`${name}, ${key}, peak MB`] = peaks[key]!;
  }
  const isOurs = (key: string) => key.startsWith('ours');
  const keys = Object.keys(rates);
  for (const own of keys.filter(isOurs))
    for (const key of keys.filter((other) => !isOurs(other))) {
      ratios[`${name}: ${own}/${key}`] = median(rates[own]!.map((rate, i) => rate / rates[key]![i]!));
      ratios[`${name}: processor time ${own}/${key}`] = processor[own]! / processor[key]!;
      ratios[`${name}: memory ${own}/${key}`] = peaks[own]! / peaks[key]!;
    }
}

/** Sampling as PPO does it against a loop that runs everything so far for every token, one answer after another. */
async function rollouts(): Promise<void> {
  const one: TrainCase = { model: 'm5', form: 'full', rows: 2, length: 32 };
  const [ours, naive] = [await Contender.ours(one, THREADS), await Contender.torch(python(), one, THREADS, false)];
  const measure = async (contender: Contender, prompts: number, tokens: number) => {
    const run = async () => (await contender.generate(prompts, tokens)).ms;
    return (prompts * tokens * 1000) / (await measureQuietly([ours.pid, naive.pid], run)).ms;
  };
  await ours.generate(16, 4);
  await naive.generate(1, 4);
  const pairs: [number, number][] = [];
  for (let round = 0; round < 3; round++) pairs.push([await measure(ours, 32, 64), await measure(naive, 4, 64)]);
  ours.close();
  naive.close();
  figures['rollouts, ours, tokens/s'] = median(pairs.map(([rate]) => rate));
  figures['rollouts, naive loop, tokens/s'] = median(pairs.map(([, rate]) => rate));
  ratios['rollouts: ours/naive loop'] = median(pairs.map(([a, b]) => a / b));
  printTable(
    ['rollouts', 'tokens/s'],
    [
      ['ours', figures['rollouts, ours, tokens/s']],
      ['naive loop', figures['rollouts, naive loop, tokens/s']],
    ],
  );
}
