import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import path from 'node:path';
import type { FormatMeasure } from './choose-format.js';

type Measures = [FormatMeasure, ...FormatMeasure[]];

/** What a measurement depends on. */
export interface ChoiceCase {
  /** Digest of the base weights. */
  readonly model: string;
  readonly threads: number;
  /** Version of ONNX Runtime. */
  readonly version: string;
  /** The runtime's word on the processor, on which the graphs of rounded weights depend. */
  readonly exactProducts: boolean;
}

/**
 * The measures of an earlier start of the same model on the same kind of processor, or fresh ones, which are written to
 * `folder` for the next start. Without a folder nothing is remembered; a file that cannot be read or written costs only
 * the measuring.
 */
export async function rememberedMeasures(
  folder: string | undefined,
  given: ChoiceCase,
  take: () => Promise<Measures>,
): Promise<Measures> {
  const file = folder && path.join(folder, `formats-${keyOf(given)}.json`);
  const known = file ? await readMeasures(file) : null;
  if (known) return known;
  const taken = await take();
  if (file) await writeMeasures(file, taken).catch(() => {});
  return taken;
}

function keyOf({ model, threads, version, exactProducts }: ChoiceCase): string {
  const text = JSON.stringify([model, threads, version, exactProducts, cpus()[0]?.model ?? process.arch]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

async function readMeasures(file: string): Promise<Measures | null> {
  try {
    const found: unknown = JSON.parse(await readFile(file, 'utf8'));
    return Array.isArray(found) && found.length > 0 && found.every(isMeasure) ? (found as Measures) : null;
  } catch {
    return null;
  }
}

function isMeasure(value: unknown): value is FormatMeasure {
  const { format, decodeMs, prefillMs, divergence } = (value ?? {}) as Partial<FormatMeasure>;
  const isFormat = format === 'fp32' || format === 'int8' || format === 'int4';
  return isFormat && [decodeMs, prefillMs, divergence].every((figure) => typeof figure === 'number');
}

async function writeMeasures(file: string, measures: readonly FormatMeasure[]): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, JSON.stringify(measures));
  await rename(temporary, file);
}
