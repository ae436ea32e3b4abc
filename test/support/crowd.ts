import { setTimeout as sleep } from 'node:timers/promises';
import type OpenAI from 'openai';

/** Milliseconds a person takes to read before the next question. */
const READING_MS = 100;

/** People who keep chatting while something else happens. */
export interface Crowd {
  /** Lets every answer under way finish; then says how it went. */
  disperse(): Promise<{ numAnswers: number; errors: string[]; fingerprints: Set<string> }>;
}

/**
 * `size` clients that stream one answer after the other. An answer counts as an error when its stream breaks, ends
 * without a finish reason, or names more than one set of weights.
 */
export function gatherCrowd(client: OpenAI, model: string, size: number, questions: readonly string[]): Crowd {
  let chatting = true;
  const errors: string[] = [];
  const fingerprints = new Set<string>();
  let numAnswers = 0;
  const chat = async (person: number) => {
    for (let turn = 0; chatting; turn++) {
      const question = questions[(person + turn * size) % questions.length]!;
      try {
        const seen = await streamOne(client, model, question);
        if (seen.size !== 1) throw new Error(`one answer came from ${seen.size} sets of weights`);
        for (const fingerprint of seen) fingerprints.add(fingerprint);
        numAnswers++;
      } catch (error) {
        errors.push(String(error));
      }
      await sleep(READING_MS);
    }
  };
  const people = Array.from({ length: size }, (_, person) => chat(person));
  const disperse = async () => {
    chatting = false;
    await Promise.all(people);
    return { numAnswers, errors, fingerprints };
  };
  return { disperse };
}

async function streamOne(client: OpenAI, model: string, content: string): Promise<Set<string>> {
  const stream = await client.chat.completions.create({
    model,
    messages: [{ role: 'user', content }],
    max_tokens: 24,
    stream: true,
  });
  const fingerprints = new Set<string>();
  let finished = false;
  for await (const chunk of stream) {
    if (chunk.system_fingerprint) fingerprints.add(chunk.system_fingerprint);
    finished ||= chunk.choices[0]?.finish_reason != null;
  }
  if (!finished) throw new Error('the stream ended without a finish reason');
  return fingerprints;
}
