import { encodeModel, type Graph } from '@attune/graph';
import {
  type AdapterGraph,
  type Int4Rounding,
  type KvFormat,
  type LinearFormat,
  linearFormatFor,
  linearFormatsOf,
  type ModelConfig,
  NO_ADAPTERS,
  type ParameterReader,
  servingGraph,
  servingWeights,
  type ServingWeights,
  type WeightFormat,
} from '@attune/models';
import { type HostTensor, hostTensor, type Runtime, type Session } from '@attune/runtime';
import { mergeUpdate } from '../adapters-merge.js';
import { weld, type WeldedAdapter } from '../adapters-weld.js';
import type { LayerUpdate } from '../adapters-prepared.js';
import { calibrateCache } from './cache-scales.js';
import { type PreparedPlace, preparedWeights } from './prepared-weights.js';

export interface SessionsOptions {
  readonly format: WeightFormat;
  readonly kv: KvFormat;
  readonly int4Rounding?: Int4Rounding;
  /** Keeps rounded weights for the next start; left out = they are rounded at every start. */
  readonly prepared?: PreparedPlace;
  readonly maxSeq: number;
  readonly threads?: number;
  readonly spinning?: boolean;
  readonly hugePages?: boolean;
}

/** With what the processor is able to do. */
interface Settings extends SessionsOptions {
  readonly exactProducts: boolean;
}

/** Free memory, in sizes of the weights, that a copy may be made from: it holds them once, repacked once more. */
const ROOM_FOR_A_COPY = 3;

type Initializers = Record<string, HostTensor>;

/** The graphs of one model over weights they share: one for every linear format and kind of adapter in a batch. */
export class ServingSessions {
  private readonly opened = new Map<string, Promise<Session>>();

  private constructor(
    private readonly runtime: Runtime,
    private readonly config: ModelConfig,
    private readonly options: Settings,
    private readonly initializers: Initializers,
    /** Where the repacked copies of these weights are; they stay there as long as it does. */
    private readonly shared = runtime.shareWeights(),
    private readonly welded: WeldedAdapter | null = null,
  ) {}

  /** @param read checkpoint parameters by their Hugging Face names */
  static async open(runtime: Runtime, config: ModelConfig, read: ParameterReader, options: SessionsOptions) {
    const exactProducts = options.format === 'fp32' || (await runtime.exactProducts());
    const settings = { ...options, exactProducts };
    const initializers = await loadWeights(config, read, settings);
    const sessions = new ServingSessions(runtime, config, settings, initializers);
    if (options.kv === 'int8') Object.assign(initializers, await sessions.calibrated());
    await sessions.openAll();
    // Before the cache exists: its pages are better taken as they are needed.
    if (options.hugePages) runtime.useHugePages();
    return sessions;
  }

  /** Bytes of the weights as they are handed to ONNX Runtime, which keeps repacked copies of most of them. */
  get weightBytes(): number {
    return Object.values(this.initializers).reduce((sum, { data }) => sum + data.byteLength, 0);
  }

  /** The format of every graph that these weights may run in. */
  get formats(): readonly LinearFormat[] {
    return formatsOf(this.options);
  }

  /** The format of the graph that runs so many rows. */
  formatFor(rows: number): LinearFormat {
    return linearFormatFor(this.options.format, rows, this.options.exactProducts);
  }

  /** The session of a graph, created when it is first asked for. */
  get(format: LinearFormat, adapters: AdapterGraph = NO_ADAPTERS, embeddings = false): Promise<Session> {
    const key = JSON.stringify([format, adapters.kinds, adapters.gated, embeddings]);
    const known = this.opened.get(key);
    if (known) return known;
    const made = this.create(format, this.options.kv, adapters, embeddings);
    this.opened.set(key, made);
    made.catch(() => this.opened.delete(key)); // what failed is tried again
    return made;
  }

  /** The same model with an adapter beside its weights as weights of its own, rounded as they are; see `weldedWeights`. */
  async withWelded(update: LayerUpdate): Promise<ServingSessions> {
    const adapter = await weld(this.config, update, this.formats);
    const made = new ServingSessions(this.runtime, this.config, this.options, this.initializers, this.shared, adapter);
    await made.openAll();
    // The graphs are all there are, and hold the bytes themselves; the adapter's memory may go to another.
    adapter.weights = {};
    return made;
  }

  /** The same model with an adapter multiplied in; other weights are taken as they are. Null unless the weights are fp32 and there is room. */
  async merged(update: LayerUpdate): Promise<ServingSessions | null> {
    if (this.options.format !== 'fp32' || process.availableMemory() < ROOM_FOR_A_COPY * this.weightBytes) return null;
    const changed = await mergeUpdate(this.runtime, this.initializers, update);
    const all = { ...this.initializers, ...changed };
    // With a store of repacked weights of its own: in this model's they would stay for ever.
    const made = new ServingSessions(this.runtime, this.config, this.options, all);
    await made.get('fp32');
    return made;
  }

  async release(): Promise<void> {
    for (const session of await Promise.all(this.opened.values())) session.release();
    this.runtime.trimMemory();
  }

  /** Opens the graph of every linear format, or leaves none behind. */
  private async openAll(): Promise<void> {
    try {
      for (const format of this.formats) await this.get(format);
    } catch (error) {
      await this.release();
      throw error;
    }
  }

  private create(format: LinearFormat, kv: KvFormat, adapters = NO_ADAPTERS, embeddings = false): Promise<Session> {
    const { maxSeq, threads, spinning } = this.options;
    const embedding = embeddingFormat(this.options.format);
    const taken = this.welded ? { ...adapters, welded: this.welded.widths } : adapters;
    const graph = servingGraph(this.config, { format, kv, maxSeq, adapters: taken, embeddings, embedding });
    if (this.welded) embed(graph, this.welded.weights);
    const initializers = pickFor(graph, this.initializers);
    return this.runtime.createSession(encodeModel(graph), { threads, spinning, initializers, shared: this.shared });
  }

  private async calibrated(): Promise<Initializers> {
    const session = await this.create(this.formats.at(-1)!, 'fp32');
    try {
      return await calibrateCache(session, this.config, this.options.maxSeq);
    } finally {
      session.release();
    }
  }
}

/** Makes weights part of the graph's own bytes: what a session shares with others would stay when it goes. */
function embed(graph: Graph, weights: ServingWeights): void {
  for (const [name, { shape }] of graph.initializers) {
    const given = weights[name];
    if (given) graph.initializers.set(name, { name, dtype: given.dtype, shape, data: given.data });
  }
}

/** Plain weights are made as fast as they are read; rounded ones are worth keeping. */
async function loadWeights(config: ModelConfig, read: ParameterReader, options: Settings) {
  const { format, maxSeq, int4Rounding, prepared } = options;
  const make = () => weightsOf(config, read, options);
  if (!prepared || format === 'fp32') return make();
  // Spread, for what is added to them later is not part of the file.
  return { ...(await preparedWeights(prepared, { format, maxSeq, int4Rounding }, formatsOf(options), make)) };
}

function weightsOf(config: ModelConfig, read: ParameterReader, options: Settings): Initializers {
  const { format, maxSeq, int4Rounding } = options;
  const all: Initializers = {};
  for (const linear of formatsOf(options))
    for (const [name, { dtype, shape, data }] of Object.entries(
      servingWeights(config, read, { format: linear, maxSeq, int4Rounding, embedding: embeddingFormat(format) }),
    ))
      all[name] ??= hostTensor(dtype, shape, data as never);
  return all;
}

const formatsOf = ({ format, exactProducts }: Settings) => linearFormatsOf(format, exactProducts);

/** Rounded weights come with rounded embeddings. */
const embeddingFormat = (format: WeightFormat) => (format === 'fp32' ? 'fp32' : 'int8');

/** The weights that one graph declares. */
function pickFor(graph: Graph, all: Initializers): Initializers {
  const wanted = [...graph.initializers.values()].filter(({ data }) => data === null);
  return Object.fromEntries(wanted.map(({ name }) => [name, all[name]!]));
}
