import { streamedChat } from './streamed-chat.js';

/** What a client sees of its answers: milliseconds to the first token, between two tokens, and to the end. */
export interface Sample {
  readonly first: number[];
  readonly gaps: number[];
  readonly total: number[];
}

export interface Streams {
  readonly to: { readonly port: number; readonly secret: string };
  readonly count: number;
  readonly maxTokens: number;
}

const WORDS = 'table river bread garden window letter orange bridge summer paper castle'.split(' ');

export const emptySample = (): Sample => ({ first: [], gaps: [], total: [] });

/** All of several samples as one. */
export const joined = (samples: readonly Sample[]): Sample => ({
  first: samples.flatMap(({ first }) => first),
  gaps: samples.flatMap(({ gaps }) => gaps),
  total: samples.flatMap(({ total }) => total),
});

/** Keeps streams going for a while, answers following one another in each without a pause. */
export async function keepAsking(streams: Streams, forMs: number): Promise<Sample> {
  const sample = emptySample();
  const end = performance.now() + forMs;
  const one = async (index: number) => {
    for (let turn = 0; performance.now() < end; turn++) await ask(streams, toRepeat(index, turn), sample);
  };
  await Promise.all(Array.from({ length: streams.count }, (_, index) => one(index)));
  return sample;
}

/** The bundled model copies what it is told to: an answer of some twenty tokens, another one every time. */
function toRepeat(index: number, turn: number): string {
  const words = Array.from({ length: 6 }, (_, place) => WORDS[(index * 5 + turn * 3 + place) % WORDS.length]);
  return `Say exactly: ${words.join(' ')}`;
}

async function ask({ to, maxTokens }: Streams, question: string, into: Sample): Promise<void> {
  const start = performance.now();
  let last = 0;
  for await (const bytes of streamedChat(to, question, maxTokens)) {
    if (!/"content":"[^"]/.test(bytes)) continue;
    const now = performance.now();
    if (last === 0) into.first.push(now - start);
    else into.gaps.push(now - last);
    last = now;
  }
  into.total.push(performance.now() - start);
}
