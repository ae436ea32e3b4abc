/**
 * What do weight and cache formats cost in quality? For each: the mean Kullback-Leibler divergence of the next token's
 * distribution from fp32's, the negative log-likelihood of the text, how often the likeliest token is still the same
 * (stories260K on its own greedy story; the bundled model on tasks it was trained for and tasks it never saw), and the
 * bundled model's exact matches on those tasks. Every token goes through the engine as when it decodes: one by one, over
 * the cache. Needs ../shared/data for stories260K and goes without it otherwise.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EngineOptions } from '@attune/engine';
import { type ChatMessage, scoreSuite, type TaskExample, taskSuite } from '@attune/tasks';
import { Tokenizer } from '@attune/tokenizer';
import { EngineContender } from './support/engine-contender.js';
import { printResult, printTable } from './support/report.js';

const contenders: Readonly<Record<string, Partial<EngineOptions>>> = {
  fp32: {},
  'fp32, int8 cache': { kv: 'int8' },
  int8: { format: 'int8' },
  'int8, int8 cache': { format: 'int8', kv: 'int8' },
  'int4 least error': { format: 'int4' },
  'int4 plain': { format: 'int4', int4Rounding: 'plain' },
  'int4 least error, int8 cache': { format: 'int4', kv: 'int8' },
};

interface Text {
  readonly ids: readonly number[];
  /** Tokens before this one are not judged. */
  readonly from: number;
}

interface Case {
  readonly name: string;
  readonly folder: string;
  readonly texts: readonly Text[];
}

/** Log-probabilities of every token of the vocabulary, one array a judged position. */
type Judged = readonly Float64Array[];

const root = fileURLToPath(new URL('../../', import.meta.url));
const bundled = path.join(root, 'models/attune-mini');
const stories = path.join(root, '../shared/data/weights/stories260K');
const STORY_TOKENS = 300;
const EXAMPLES = Number(process.argv.at(2) ?? 1);
const SUITE_EXAMPLES = Number(process.argv.at(3) ?? 4);

const figures: Record<string, number> = {};
const ratios: Record<string, number> = {};
for (const given of [await storyCase(), await taskCase()]) if (given) await judge(given);
await judgeSuite();
printResult({ name: 'quality', ratios, figures });

async function judge({ name, folder, texts }: Case): Promise<void> {
  const rows: (string | number)[][] = [];
  let exact: Judged = [];
  for (const [contender, options] of Object.entries(contenders)) {
    const engine = await EngineContender.load({ model: folder, slots: 1, threads: 1, speculation: false, ...options });
    const { vocabSize } = await engine.engine.stats();
    const found: Float64Array[] = [];
    for (const text of texts) found.push(...(await distributions(engine, text, vocabSize)));
    await engine.close();
    if (contender === 'fp32') exact = found;
    const { divergence, loss, agreement } = compare(exact, found, texts);
    rows.push([contender, divergence, loss, 100 * agreement]);
    figures[`${name} ${contender} divergence`] = divergence;
    figures[`${name} ${contender} loss`] = loss;
  }
  ratios[`${name} int4 divergence least error / plain`] =
    figures[`${name} int4 least error divergence`]! / figures[`${name} int4 plain divergence`]!;
  console.log(`${name}, ${exact.length} tokens`);
  printTable(['format', 'KL nats', 'loss nats', 'same top-1 %'], rows);
}

/** The model's distribution at every judged position, each from a request that adds one token to what is cached. */
async function distributions(engine: EngineContender, { ids, from }: Text, vocabSize: number): Promise<Float64Array[]> {
  const found: Float64Array[] = [];
  for (let at = from; at < ids.length; at++) {
    const request = { logProbs: true, topLogProbs: vocabSize };
    const { events } = await engine.answer(ids.slice(0, at), 1, request);
    const logProbs = new Float64Array(vocabSize);
    for (const { token, logProb } of events[0]!.top!) logProbs[token] = logProb;
    found.push(logProbs);
  }
  return found;
}

function compare(exact: Judged, found: Judged, texts: readonly Text[]) {
  const next = texts.flatMap(({ ids, from }) => ids.slice(from));
  let [divergence, loss, agreement] = [0, 0, 0];
  found.forEach((logProbs, i) => {
    const want = exact[i]!;
    for (let token = 0; token < want.length; token++)
      divergence += Math.exp(want[token]!) * (want[token]! - logProbs[token]!);
    loss -= logProbs[next[i]!]!;
    agreement += Number(likeliest(want) === likeliest(logProbs));
  });
  const count = found.length;
  return { divergence: divergence / count, loss: loss / count, agreement: agreement / count };
}

function likeliest(logProbs: Float64Array): number {
  return logProbs.indexOf(logProbs.reduce((a, b) => Math.max(a, b), -Infinity));
}

async function storyCase(): Promise<Case | null> {
  const folder = path.join(stories, 'hf');
  if (!existsSync(folder)) return null;
  const tokenizer = await Tokenizer.fromFolder(folder);
  const text = readFileSync(path.join(stories, 'expected_greedy.txt'), 'utf8').trim();
  const ids = [1, ...tokenizer.encode(text)].slice(0, STORY_TOKENS);
  return { name: 'stories260K', folder, texts: [{ ids, from: 1 }] };
}

async function taskCase(): Promise<Case> {
  const tokenizer = await Tokenizer.fromFolder(bundled);
  const examples = taskSuite(EXAMPLES, 11).groups.flatMap((group) => group.examples);
  const asText = ({ messages, answer }: TaskExample) => {
    const prompt = tokenizer.encodeChat(messages, { addGenerationPrompt: true });
    return { ids: [...prompt, ...tokenizer.encode(answer), tokenizer.eosIds[0]!], from: prompt.length };
  };
  return { name: 'attune-mini', folder: bundled, texts: examples.map(asText) };
}

/** Exact matches of greedy answers. */
async function judgeSuite(): Promise<void> {
  const tokenizer = await Tokenizer.fromFolder(bundled);
  const suite = taskSuite(SUITE_EXAMPLES, 7);
  const rows: (string | number)[][] = [];
  for (const [contender, options] of Object.entries(contenders)) {
    const engine = await EngineContender.load({ model: bundled, slots: 4, threads: 1, ...options });
    const score = await scoreSuite(suite, (messages) => answer(engine, tokenizer, messages));
    const { memory } = await engine.engine.stats();
    await engine.close();
    rows.push([contender, 100 * score.seen, 100 * score.heldout, memory.weightBytes / 1e6, memory.bytesPerToken]);
    figures[`suite ${contender} seen`] = score.seen;
    figures[`suite ${contender} heldout`] = score.heldout;
  }
  console.log(`attune-mini, exact matches, ${SUITE_EXAMPLES} examples a family`);
  printTable(['format', 'trained %', 'held out %', 'weights MB', 'cache bytes a token'], rows);
}

async function answer(engine: EngineContender, tokenizer: Tokenizer, messages: readonly ChatMessage[]) {
  const prompt = tokenizer.encodeChat(messages, { addGenerationPrompt: true });
  const { tokens } = await engine.answer(prompt, 32, { stopIds: tokenizer.eosIds });
  return tokenizer.decode(tokens).trim();
}
