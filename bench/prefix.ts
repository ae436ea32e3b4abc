/**
 * What does the prefix cache save? Time to the first token of turn n of a growing conversation against the same prompt
 * read cold, and of questions under one long system prompt asked by different users; and that the tokens are the same.
 * `-- prefix [mini|smol|qwen] [--tokens 2000] [--weights fp32] [--rounds 5]`
 */
import type { WeightFormat } from '@attune/engine';
import { EngineContender } from './support/engine-contender.js';
import { option, shapeOption } from './support/options.js';
import { median, printResult, printTable } from './support/report.js';
import { configOf, randomModel, randomPrompt } from './support/shapes.js';

const shape = shapeOption('smol');
const TOKENS = Number(option('tokens', '2000'));
const ROUNDS = Number(option('rounds', '5'));
const TURN = 60;
const ANSWER = 16;
const SYSTEM = Math.floor(TOKENS / 4);
const USERS = 4;

const configJson = configOf(shape);
const engine = await EngineContender.load({
  model: randomModel(configJson, 'bench'),
  format: option('weights', 'fp32') as WeightFormat,
  slots: 6,
  maxSeq: TOKENS + TURN + ANSWER + 8,
  tokenBudget: 512,
});
const words = (seed: number, length: number) => randomPrompt(seed, length, configJson.vocab_size);

const conversation = { cold: [] as number[], warm: [] as number[], cached: 0, prompt: 0 };
const shared = { cold: [] as number[], warm: [] as number[] };
for (let round = -1; round < ROUNDS; round++) {
  const talk = await conversationRound(round);
  const users = await sharedRound(round);
  if (round < 0) continue; // the warm-up
  conversation.cold.push(talk.cold);
  conversation.warm.push(talk.warm);
  Object.assign(conversation, { cached: talk.cached, prompt: talk.prompt });
  shared.cold.push(users.cold);
  shared.warm.push(users.warm);
}
await engine.close();
report();

/** A conversation of TOKENS tokens goes on by a turn; the same prompt of other words is read from nothing. */
async function conversationRound(round: number) {
  const first = words(10_000 + round, TOKENS - TURN - ANSWER);
  const before = await engine.answer(first, ANSWER);
  const turn = [...first, ...before.tokens, ...words(20_000 + round, TURN)];
  const warm = await firstToken(turn);
  const cold = await firstToken(words(30_000 + round, turn.length));
  return { cold: cold.ms, warm: warm.ms, cached: warm.cached, prompt: turn.length };
}

/** Several users ask under one system prompt, which only the first of them has to wait for. */
async function sharedRound(round: number) {
  const system = words(40_000 + round, SYSTEM);
  const asked: number[] = [];
  for (let user = 0; user < USERS; user++)
    asked.push((await firstToken([...system, ...words(50_000 + USERS * round + user, TURN)])).ms);
  return { cold: asked[0]!, warm: median(asked.slice(1)) };
}

async function firstToken(prompt: readonly number[]): Promise<{ ms: number; cached: number }> {
  const start = performance.now();
  const { firstAt, cachedTokens } = await engine.answer(prompt, 1);
  return { ms: firstAt - start, cached: cachedTokens };
}

function report(): void {
  const paired = ({ warm, cold }: { warm: readonly number[]; cold: readonly number[] }) =>
    median(warm.map((ms, i) => ms / cold[i]!));
  const share = conversation.cached / conversation.prompt;
  console.log(`${shape}, ${TOKENS} tokens, ${ROUNDS} rounds`);
  printTable(
    ['first token of', 'cold ms', 'cached ms', 'cached / cold'],
    [
      [`a turn of ${TURN} tokens`, median(conversation.cold), median(conversation.warm), paired(conversation)],
      [`a question under ${SYSTEM} system tokens`, median(shared.cold), median(shared.warm), paired(shared)],
    ],
  );
  printResult({
    name: 'prefix',
    ratios: { 'turn cached/cold': paired(conversation), 'shared system prompt cached/cold': paired(shared) },
    figures: {
      turnColdMs: median(conversation.cold),
      turnCachedMs: median(conversation.warm),
      systemColdMs: median(shared.cold),
      systemCachedMs: median(shared.warm),
      cachedShareOfPrompt: share,
    },
  });
}
