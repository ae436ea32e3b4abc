import type OpenAI from 'openai';
import { afterAll, beforeAll, expect } from 'vitest';
import { startTestGateway, type TestGateway } from './gateway.js';

export type Create = OpenAI.Responses.ResponseCreateParamsNonStreaming;

export const input = 'Once upon a time there was a little dog.';

/** A gateway for the specs of a `describe`, asked through its Responses. */
export function useResponses() {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway?.close());
  const responses = () => gateway.openai.responses;
  /** A short request that is answered the same every time. */
  const asked = (fields: Partial<Create> = {}): Create => ({
    model: gateway.model,
    input,
    temperature: 0,
    max_output_tokens: 8,
    ...fields,
  });
  const ask = (fields: Partial<Create> = {}) => responses().create(asked(fields));
  /** What a request with these fields, right or wrong, is refused with. */
  const refused = (fields: object) =>
    ask(fields).then(
      () => expect.unreachable(),
      (error: unknown) => error,
    );
  return { gateway: () => gateway, responses, asked, ask, refused };
}
