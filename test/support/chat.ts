import { CompletionRepository } from '@attune/persistence';
import type OpenAI from 'openai';
import { afterAll, beforeAll } from 'vitest';
import { startTestGateway, type TestGateway } from './gateway.js';

export const question = { role: 'user' as const, content: 'Once upon a time there was a little dog.' };

type Asked = OpenAI.ChatCompletionCreateParamsNonStreaming;

/** A gateway for the specs of a `describe`, whose answers end with the most tokens only. */
export function useChat() {
  let gateway: TestGateway;
  let completions: CompletionRepository;
  beforeAll(async () => {
    gateway = await startTestGateway({ endless: true });
    completions = new CompletionRepository(gateway.dataSource);
  });
  afterAll(() => gateway?.close());
  /** A request that is answered the same every time. */
  const greedy = (fields: Partial<Asked> = {}): Asked => ({
    model: gateway.model,
    messages: [question],
    temperature: 0,
    max_tokens: 12,
    ...fields,
  });
  return { gateway: () => gateway, completions: () => completions, greedy };
}
