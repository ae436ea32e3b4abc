/**
 * What the gateway adds to the latency of the bare engine: HTTP, authentication, retrieval, templates, tokens to text,
 * server-sent events, and a completion row that is committed (fsync on) before the first token leaves.
 * Both sides answer the same prompts with the same seed on engine processes of the same set-up; the gateway is the real process
 * over a PostgreSQL of its own. Twice: all streams asking at once, and in the steady state of streams that are always
 * busy. Rounds alternate between the two sides.
 * `-- gateway-overhead [--streams 1,32,256] [--rounds 4] [--seconds 5] [--tokens 64] [--cpu-prof FOLDER]`
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineHost } from '@attune/engine';
import { Tokenizer } from '@attune/tokenizer';
import { atOnce, noLatencies, steadily, type Ask, type Latencies } from './support/chat-load.js';
import { startGatewayProcess } from './support/gateway-process.js';
import { RawChat, type AnswerTimes } from './support/raw-chat.js';
import { median, percentile, printResult, printTable } from './support/report.js';

const option = (name: string, fallback: string) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const STREAMS = option('streams', '1,32,256').split(',').map(Number);
const ROUNDS = Number(option('rounds', '4'));
const SECONDS = Number(option('seconds', '5'));
const TOKENS = Number(option('tokens', '64'));
const PROFILE = option('cpu-prof', '');
const ADDED = ['added p50', 'added p95', 'added p99'];
const WARM_UP_ROUNDS = 4;
/** Of one prompt after the other, at one stream, in a round of all at once. */
const FEWEST_ANSWERS = 16;

const root = fileURLToPath(new URL('../../', import.meta.url));
const model = [path.join(root, 'models/attune-mini'), path.join(root, '../shared/data/weights/stories260K/hf')].find(
  (folder) => existsSync(path.join(folder, 'model.safetensors')),
);
if (!model) throw new Error('There is no model to measure with: models/attune-mini is empty.');

const slots = Math.max(...STREAMS);
const gateway = await startGatewayProcess(
  { MODEL: model, ENGINE_THREADS: '1', ENGINE_SLOTS: String(slots) },
  PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${PROFILE}`] : [],
);
const connections = Array.from({ length: slots }, () => new RawChat(gateway));
const engine = await EngineHost.start({ model, slots, threads: 1 });
const tokenizer = await Tokenizer.fromFolder(model);
let answered = 0;
/**
 * Not greedy: a small model would repeat itself, and repetitions are guessed several tokens at a time. Tokens without text
 * are forbidden: a client could not tell when they came.
 */
const sampling = { temperature: 1, seed: 1, logitBias: biasAgainst(textless()) };
const sides: Record<'engine' | 'gateway', Ask> = { engine: askEngine, gateway: askGateway };

try {
  await warmUp();
  const figures: Record<string, number> = {};
  const ratios: Record<string, number> = {};
  const rows = { 'all at once': [] as Row[], steady: [] as Row[] };
  for (const streams of STREAMS) {
    const cpuBefore = await gateway.cpuSeconds();
    const answersBefore = answered;
    rows['all at once'].push(...added(`burst@${streams}`, streams, await measureAtOnce(streams), figures, ratios));
    rows.steady.push(...added(`steady@${streams}`, streams, await measureSteadily(streams), figures, ratios));
    const cpuMs = ((await gateway.cpuSeconds()) - cpuBefore) * 1000;
    figures[`gatewayCpuMsPerAnswer@${streams}`] = cpuMs / (answered - answersBefore);
  }
  for (const [load, lines] of Object.entries(rows)) {
    printTable([load, 'ms', 'answers', 'engine p50', 'gateway p50', 'engine p99', 'gateway p99', ...ADDED], lines);
  }
  printTable(
    ['streams', 'processor ms of the gateway per answer'],
    STREAMS.map((streams) => [streams, figures[`gatewayCpuMsPerAnswer@${streams}`]]),
  );
  printResult({ name: 'gateway-overhead', ratios, figures });
} finally {
  connections.forEach((connection) => connection.close());
  await gateway.close();
  await engine.close();
}

type Row = (string | number)[];
type Side = keyof typeof sides;
/** What both sides took in one round, one right after the other. */
type Round = Record<Side, Latencies>;

function measureAtOnce(streams: number): Promise<Round[]> {
  const times = Math.max(2, Math.ceil(FEWEST_ANSWERS / streams));
  return inRounds(async (side, into) => {
    for (let time = 0; time < times; time++) await atOnce(streams, sides[side], into);
  });
}

async function measureSteadily(streams: number): Promise<Round[]> {
  const start = performance.now();
  await atOnce(streams, askEngine, noLatencies());
  const pace = { answerMs: performance.now() - start, forMs: SECONDS * 1000 };
  return inRounds((side, into) => steadily(streams, sides[side], pace, into));
}

async function inRounds(measure: (side: Side, into: Latencies) => Promise<void>): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let count = 0; count < ROUNDS; count++) {
    const round: Round = { engine: noLatencies(), gateway: noLatencies() };
    for (const side of ['engine', 'gateway'] as const) await measure(side, round[side]);
    rounds.push(round);
  }
  return rounds;
}

/** The rows of the table for one load, medians over its rounds; what they say goes into the figures too. */
function added(
  load: string,
  streams: number,
  rounds: Round[],
  figures: Record<string, number>,
  ratios: Record<string, number>,
): Row[] {
  return (['first', 'gaps'] as const).map((which) => {
    const of = (side: Side, share: number) => median(rounds.map((round) => percentile(round[side][which], share)));
    const more = (share: number) =>
      median(rounds.map(({ engine, gateway }) => percentile(gateway[which], share) - percentile(engine[which], share)));
    figures[`${which}AddedP50Ms ${load}`] = more(0.5);
    figures[`${which}AddedP99Ms ${load}`] = more(0.99);
    ratios[`${which} gateway/engine ${load}`] = of('gateway', 0.5) / of('engine', 0.5);
    const answers = rounds.reduce((sum, { gateway }) => sum + gateway.first.length, 0);
    const name = which === 'first' ? 'to the first token' : 'between tokens';
    const both = [of('engine', 0.5), of('gateway', 0.5), of('engine', 0.99), of('gateway', 0.99)];
    return [streams, name, answers, ...both, more(0.5), more(0.95), more(0.99)];
  });
}

/** Both sides as they are after minutes of service, not in their first seconds. */
async function warmUp(): Promise<void> {
  for (let count = 0; count < WARM_UP_ROUNDS; count++) {
    for (const ask of [askEngine, askGateway]) await atOnce(Math.min(32, slots), ask, noLatencies());
  }
}

async function askEngine(_stream: number, question: string): Promise<AnswerTimes> {
  const promptIds = tokenizer.encodeChat([{ role: 'user', content: question }], { addGenerationPrompt: true });
  const start = performance.now();
  const request = { id: question, promptIds, maxTokens: TOKENS, sampling, logProbs: true };
  const tokens: number[] = [];
  for await (const event of engine.generate(request)) {
    if (event.type === 'token') tokens.push(performance.now() - start);
  }
  return { tokens, total: performance.now() - start };
}

function askGateway(stream: number, question: string): Promise<AnswerTimes> {
  answered += 1;
  const { temperature, seed, logitBias } = sampling;
  return connections[stream].ask(question, { temperature, seed, logit_bias: logitBias }, TOKENS);
}

function textless(): number[] {
  return Array.from({ length: tokenizer.vocabSize }, (_, id) => id).filter((id) => !tokenizer.bytesOf(id)?.length);
}

function biasAgainst(ids: number[]): Record<number, number> {
  return Object.fromEntries(ids.map((id) => [id, -100]));
}
