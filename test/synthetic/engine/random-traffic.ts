import { writeAdapter, writeModelFolder, readAdapter, readModelFolder, type Adapter } from '@attune/checkpoint';
import { collect, Engine, EngineHost, type EngineEvent, type GenerateRequest, type LoadedModel } from '@attune/engine';
import { parameterShapes, parseModelConfig } from '@attune/models';
import { createRandom, UnavailableError, type Random } from '@attune/platform';
import path from 'node:path';
import { randomAdapter, randomBottleneck, randomModel, randomSoftPrompt, tinyConfig } from './tiny-models.js';

export interface TrafficPlan {
  readonly seed: number;
  /** Times another adapter (or the base) goes live. */
  readonly swaps: number;
  /** Times the engine process is killed with -9. */
  readonly kills: number;
  /** Times another model is taken in. */
  readonly modelSwaps: number;
}

/** What became of one request. */
export interface Answer {
  readonly request: GenerateRequest;
  readonly cancelled: boolean;
  readonly events: readonly EngineEvent[];
}

/** Two models and adapters of every kind on disk. */
export interface Weights {
  readonly models: readonly LoadedModel[];
  readonly modelFolders: readonly string[];
  readonly adapters: readonly { readonly adapter: Adapter; readonly folder: string }[];
}

const MOST_AT_ONCE = 12;
const LONGEST_ANSWER = 24;

export async function writeWeights(folder: string): Promise<Weights> {
  const shapes = [...parameterShapes(parseModelConfig(tinyConfig))];
  const models = [randomModel(1), randomModel(2)];
  const modelFolders = models.map((_, i) => path.join(folder, `model-${i}`));
  for (const [i, model] of models.entries()) {
    const tensors = new Map(shapes.map(([name, shape]) => [name, { shape, data: model.tensor(name).data }]));
    await writeModelFolder(modelFolders[i]!, { config: tinyConfig, tensors });
  }
  const made = [5, 6, 7].map((seed) => randomAdapter(seed));
  const adapters = [];
  for (const [i, weights] of [...made, randomBottleneck(8), randomSoftPrompt(9)].entries()) {
    const place = path.join(folder, `adapter-${i}`);
    await writeAdapter(place, weights);
    adapters.push({ adapter: await readAdapter(place), folder: place });
  }
  return { models, modelFolders, adapters };
}

/** Random requests, swaps, unloads, cancels, kills and model swaps, all at once; ends when every request has. */
export async function runTraffic(host: EngineHost, weights: Weights, plan: TrafficPlan): Promise<Answer[]> {
  const random = createRandom(plan.seed);
  const traffic = new Traffic(host, weights, random);
  const { swaps, kills, modelSwaps } = plan;
  const every = (times: number, step: number) => times > 0 && step % Math.floor(swaps / times) === 0;
  for (let step = 1; step <= swaps; step++) {
    traffic.ask();
    if (random.int(4) === 0) traffic.cancelOne();
    if (every(kills, step)) process.kill(host.pid!, 'SIGKILL');
    if (every(modelSwaps, step + 1)) await tolerant(() => traffic.swapModel());
    await tolerant(() => traffic.swapAdapter());
    if (random.int(5) === 0) await tolerant(() => traffic.unloadOne());
    await traffic.untilRoom();
  }
  return traffic.end();
}

class Traffic {
  private readonly running = new Map<string, { abort: AbortController; done: Promise<void> }>();
  private readonly answers: Answer[] = [];
  private live: string | null = null;
  private model = 0;
  private count = 0;

  constructor(
    private readonly host: EngineHost,
    private readonly weights: Weights,
    private readonly random: Random,
  ) {}

  /** Beginnings are few, so that the prefix cache has much to reuse, and to mix up. */
  ask(): void {
    const id = `r${this.count++}`;
    const beginning = Array.from({ length: 18 + this.random.int(3) }, (_, i) => (i * 7) % 64);
    const request: GenerateRequest = {
      id,
      promptIds: [...beginning, this.random.int(4), this.random.int(4)],
      maxTokens: 1 + this.random.int(LONGEST_ANSWER),
      user: `user ${this.random.int(3)}`,
      sampling: this.random.int(2) ? { temperature: 0 } : { temperature: 1, topK: 30, seed: this.random.int(1000) },
    };
    const abort = new AbortController();
    this.running.set(id, { abort, done: this.read(request, abort.signal) });
  }

  cancelOne(): void {
    const [first] = this.running.values();
    first?.abort.abort();
  }

  async swapAdapter(): Promise<void> {
    const { adapters } = this.weights;
    const choice = this.random.int(adapters.length + 1);
    const next = choice === adapters.length ? null : adapters[choice]!;
    if (next) await this.host.loadAdapter(next.folder);
    await this.host.setLive(next?.adapter.digest ?? null);
    this.live = next?.adapter.digest ?? null;
  }

  async unloadOne(): Promise<void> {
    const { adapters } = await this.host.stats();
    const others = adapters.filter((digest) => digest !== this.live);
    if (others.length > 0) await this.host.unloadAdapter(others[this.random.int(others.length)]!);
  }

  async swapModel(): Promise<void> {
    const next = 1 - this.model;
    const folder = this.weights.modelFolders[next]!;
    await this.host.swapModel({ folder, digest: (await readModelFolder(folder)).digest });
    this.model = next;
    this.live = null;
  }

  async untilRoom(): Promise<void> {
    while (this.running.size >= MOST_AT_ONCE) await Promise.race([...this.running.values()].map(({ done }) => done));
  }

  async end(): Promise<Answer[]> {
    await Promise.all([...this.running.values()].map(({ done }) => done));
    return this.answers;
  }

  private async read(request: GenerateRequest, signal: AbortSignal): Promise<void> {
    const events: EngineEvent[] = [];
    for await (const event of this.host.generate(request, { signal })) events.push(event);
    this.answers.push({ request, cancelled: signal.aborted, events });
    this.running.delete(request.id);
  }
}

/** While the process is being replaced, changes of weights fail and may be tried again; answers may not fail. */
async function tolerant(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** What is wrong with an answer, if anything: it must be what its one weights digest gives alone. */
export class Judge {
  private readonly engines = new Map<string, Engine>();

  static async over(weights: Weights): Promise<Judge> {
    const judge = new Judge();
    for (const folder of weights.modelFolders) {
      const engine = await Engine.load({ model: folder, slots: 1, threads: 1, spinning: false });
      for (const { adapter } of weights.adapters) await engine.loadAdapter(adapter);
      judge.engines.set((await engine.stats()).live.base, engine);
    }
    return judge;
  }

  async problemOf({ request, cancelled, events }: Answer): Promise<string | null> {
    const finished = events.at(-1);
    if (finished?.type !== 'finished') return `${request.id} has no end`;
    const { reason, weights, error } = finished;
    if (reason !== 'length' && !(reason === 'cancelled' && cancelled))
      return `${request.id} ended as ${reason}: ${error}`;
    const tokens = events.flatMap((event) => (event.type === 'token' ? [event.token] : []));
    if (!weights) return tokens.length > 0 ? `${request.id} has tokens of nobody` : null;
    const starts = events.filter(({ type }) => type === 'started');
    if (starts.length !== 1) return `${request.id} started ${starts.length} times`;
    const engine = this.engines.get(weights.base);
    if (!engine) return `${request.id} names a base that was never served: ${weights.base}`;
    const alone = await collect(engine.generate({ ...request, adapter: weights.adapter }));
    const want = reason === 'cancelled' ? alone.tokens.slice(0, tokens.length) : alone.tokens;
    return `${want}` === `${tokens}` ? null : `${request.id} on ${weights.digest}: ${tokens} is not ${want}`;
  }

  async close(): Promise<void> {
    await Promise.all([...this.engines.values()].map((engine) => engine.close()));
  }
}
