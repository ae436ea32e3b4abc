import { availableParallelism } from 'node:os';
import path from 'node:path';
import { readModelFolder } from '@attune/checkpoint';
import { type Int4Rounding, parseModelConfig } from '@attune/models';
import { type Clock, ConflictError, InvalidRequestError, messageOf } from '@attune/platform';
import { createRuntime, type DeviceWish, type Runtime } from '@attune/runtime';
import { Embedder } from './embedding/embedder.js';
import type { Vocabulary } from '@attune/structured';
import { resolveFormat } from './formats/resolve-format.js';
import { type OpenedRunner, openRunner } from './running/open-runner.js';
import { LEAST_PREFILL } from './scheduling/chunk-budget.js';
import type { EngineLimits, KvFormat, WeightFormat } from './types.js';

/** Weights in memory; a `ModelFolder` of @attune/checkpoint is one. */
export interface LoadedModel {
  /** Hugging Face's config.json, parsed. */
  readonly config: unknown;
  /** Names the base weights. */
  readonly digest: string;
  tensor(name: string): { readonly data: Float32Array };
}

export interface EngineOptions {
  /** A folder in Hugging Face layout, or weights already in memory. */
  readonly model: string | LoadedModel;
  /** Default fp32. auto = the fastest that is as good, measured once and remembered in `digestCache`. */
  readonly format?: WeightFormat | 'auto';
  /** The model that makes vectors; default `model`. Refused when it is not the one that the digest names. */
  readonly embeddings?: { readonly folder: string; readonly digest: string };
  /** How int4 weights are rounded, for comparisons; default least-error. */
  readonly int4Rounding?: Int4Rounding;
  /** How keys and values are cached; default fp32. */
  readonly kv?: KvFormat;
  /** Where the model runs; default cpu. See `openRunner`. */
  readonly device?: DeviceWish;
  /** The tokens' texts, for structured answers; a folder's own are read when they are first needed. */
  readonly vocabulary?: Vocabulary;
  readonly slots?: number;
  /** Default: the model's own context, at most 4096. */
  readonly maxSeq?: number;
  readonly tokenBudget?: number;
  /** Milliseconds that reading prompts may add between two tokens of an answer, beyond a chunk of 16. Default 100. */
  readonly gapMs?: number;
  /** Requests that may wait; more are rejected as overloaded. Default: any number. */
  readonly queueLimit?: number;
  readonly threads?: number;
  /** See the runtime's `SessionOptions`; off where the cores are shared. Default true. */
  readonly spinning?: boolean;
  /** Move the loaded weights into huge pages: steps read them a little faster, loading takes seconds longer. Default false. */
  readonly hugePages?: boolean;
  /**
   * Check drafts taken from the text so far, where a sequence runs alone and they pay. Default true: fp32 gives the same
   * tokens either way.
   */
  readonly speculation?: boolean;
  /** Run the model on this thread; for a process that serves nothing but this engine. */
  readonly blocking?: boolean;
  /** Folder that may remember the model's digest and its rounded weights. */
  readonly digestCache?: string;
  /**
   * Milliseconds after which an adapter that stays live is multiplied into a copy of the fp32 weights, so that it costs
   * nothing. Left out = never: the answers then are, to the last bit, what training computes them to be.
   */
  readonly mergeLiveAfterMs?: number;
  readonly runtime?: Runtime;
  readonly clock?: Clock;
  /** Seeds for requests that bring none; 32 bits, unsigned. */
  readonly drawSeed?: () => number;
  /** Called after every step, when all its events are out. */
  readonly onStep?: () => void;
}

export interface OpenedModel extends OpenedRunner {
  readonly digest: string;
  readonly limits: EngineLimits;
  readonly format: WeightFormat;
  readonly embedder: Embedder;
}

const DEFAULT_MAX_SEQ = 4096;
const DEFAULT_SLOTS = 8;
const DEFAULT_TOKEN_BUDGET = 256;

/** Loads the model that the options name. @throws InvalidRequestError when it cannot be used */
export async function openModel(options: EngineOptions): Promise<OpenedModel> {
  const { slots = DEFAULT_SLOTS, kv = 'fp32', threads = availableParallelism() } = options;
  const model = await findModel(options);
  const config = readConfig(model.config);
  const maxSeq = options.maxSeq ?? Math.min(config.maxPositions, DEFAULT_MAX_SEQ);
  const runtime = options.runtime ?? createRuntime({ threads });
  const read = (name: string) => model.tensor(name).data;
  const { device, digestCache } = options;
  const prepared = digestCache ? { folder: path.join(digestCache, 'prepared'), base: model.digest } : undefined;
  const settings = { ...options, kv, slots, maxSeq, threads, prepared };
  const given = { runtime, config, read, digest: model.digest, threads, device, digestCache, settings };
  const format = await resolveFormat(options.format ?? 'fp32', given);
  const opened = await openRunner(runtime, config, read, { ...settings, format }, device);
  const tokenBudget = Math.max(options.tokenBudget ?? DEFAULT_TOKEN_BUDGET, slots + LEAST_PREFILL);
  const open = async () => (options.embeddings ? openOther(options.embeddings, digestCache) : { config, read });
  const embedder = new Embedder({ runtime, threads, open });
  return { ...opened, embedder, digest: model.digest, limits: { slots, maxSeq, tokenBudget }, format };
}

async function findModel({ model, digestCache }: EngineOptions): Promise<LoadedModel> {
  return typeof model === 'string' ? readModelFolder(model, { digestCache }) : model;
}

async function openOther({ folder, digest }: NonNullable<EngineOptions['embeddings']>, digestCache?: string) {
  const model = await readModelFolder(folder, { digestCache });
  if (model.digest !== digest)
    throw new ConflictError(`The model in ${folder}, which makes the vectors, has changed; restore its files`);
  return { config: readConfig(model.config), read: (name: string) => model.tensor(name).data };
}

function readConfig(json: unknown) {
  try {
    return parseModelConfig(json);
  } catch (error) {
    throw new InvalidRequestError(`The model cannot be served: ${messageOf(error)}`, { param: 'MODEL', cause: error });
  }
}
