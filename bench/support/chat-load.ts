import { setTimeout as sleep } from 'node:timers/promises';
import type { AnswerTimes } from './raw-chat.js';

/** Asks one question over the connection of one stream. */
export type Ask = (stream: number, question: string) => Promise<AnswerTimes>;

/** Milliseconds. */
export interface Latencies {
  /** From the question to its first token. */
  readonly first: number[];
  /** Between two tokens of an answer. */
  readonly gaps: number[];
}

let asked = 0;
/** No two alike, so that no prompt is known whole. */
const nextQuestion = () => `Tell a long story about dog ${(asked += 1)}.`;

export const noLatencies = (): Latencies => ({ first: [], gaps: [] });

/** All streams ask at once, and wait until the last answer has ended. */
export async function atOnce(streams: number, ask: Ask, into: Latencies): Promise<void> {
  const answers = await Promise.all(Array.from({ length: streams }, (_, stream) => ask(stream, nextQuestion())));
  for (const answer of answers) note(answer, into);
}

/**
 * Streams that are always busy: each asks again as soon as it has its answer. They begin one after the other, spread
 * over the length of an answer; what counts is what was asked after that.
 * @param answerMs about how long an answer takes
 */
export async function steadily(
  streams: number,
  ask: Ask,
  { answerMs, forMs }: { answerMs: number; forMs: number },
  into: Latencies,
): Promise<void> {
  const from = performance.now() + answerMs;
  const until = from + forMs;
  const stream = async (index: number) => {
    await sleep((index * answerMs) / streams);
    for (let now = performance.now(); now < until; now = performance.now()) {
      const answer = await ask(index, nextQuestion());
      if (now >= from) note(answer, into);
    }
  };
  await Promise.all(Array.from({ length: streams }, (_, index) => stream(index)));
}

function note({ tokens }: AnswerTimes, into: Latencies): void {
  if (tokens.length === 0) throw new Error('An answer came without a single token.');
  into.first.push(tokens[0]);
  for (let index = 1; index < tokens.length; index++) into.gaps.push(tokens[index] - tokens[index - 1]);
}
