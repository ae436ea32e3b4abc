import { createHash } from 'node:crypto';
import { nameAdapter } from '@attune/checkpoint';
import type { Engine } from '@attune/engine';
import type { ParameterSet } from '@attune/training';
import { type BaseModel, loadEngine } from './base-model.js';
import type { FixedWeights } from './policy.js';

/** Weights ready to answer: what to ask, and under which adapter. */
export interface Served {
  readonly engine: Engine;
  /** Digest to name in requests; null = the engine's own weights. */
  readonly adapter: string | null;
  release(): Promise<void>;
}

/**
 * Makes some weights answer: an adapter beside the others of `engine`, a full fine-tune in an engine of its own, which
 * reads the trainer's arrays in place.
 */
export async function serve(model: BaseModel, engine: Engine, weights: FixedWeights): Promise<Served> {
  if (weights.kind === 'full') return serveModel({ ...model, parameters: weights.parameters }, engine);
  if (weights.kind === 'base') return { engine, adapter: null, release: async () => undefined };
  const adapter = nameAdapter(weights.adapter);
  // Taking it out again is left to whoever put it in first.
  const known = (await engine.stats()).adapters.includes(adapter.digest);
  await engine.loadAdapter(adapter);
  const release = async () => (known ? undefined : engine.unloadAdapter(adapter.digest));
  return { engine, adapter: adapter.digest, release };
}

async function serveModel(model: BaseModel, beside: Engine): Promise<Served> {
  const { limits } = await beside.stats();
  const engine = await loadEngine({ ...model, digest: digestOf(model.parameters) }, limits.maxSeq);
  return { engine, adapter: null, release: () => engine.close() };
}

/** Another digest for every state of the weights: what the engine has cached under one is never read under another. */
function digestOf(parameters: ParameterSet): string {
  const hash = createHash('sha256');
  for (const [name, { data }] of parameters)
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return hash.digest('hex');
}
