import { ChatOpenAI } from '@langchain/openai';
import type { ChatMessage } from '@attune/contracts';
import { InvalidRequestError, messageOf, UnavailableError } from '@attune/platform';
import type { Judge } from './judge.js';

export interface EndpointSettings {
  readonly judgeUrl?: string;
  readonly judgeModel?: string;
  readonly judgeApiKey?: string;
}

/** Questions a judge's server is asked at once. */
const CONCURRENCY = 4;
const MAX_ANSWER_TOKENS = 512;
/** Alternatives asked for: the letters are far ahead of everything else when the question is understood. */
const TOP_LOGPROBS = 20;
/** What a letter gets that is not even among the alternatives. */
const ABSENT = -30;

/** Any OpenAI-compatible server as the judge, through LangChain. */
export class EndpointJudge implements Judge {
  private readonly options: ConstructorParameters<typeof ChatOpenAI>[0];

  /** @throws InvalidRequestError when the settings name no server or no model */
  constructor(
    { judgeUrl, judgeModel, judgeApiKey }: EndpointSettings,
    private readonly signal?: AbortSignal,
    maxRetries = 3,
  ) {
    if (!judgeUrl || !judgeModel)
      throw new InvalidRequestError('A job that asks a judge at an endpoint needs JUDGE_URL and JUDGE_MODEL; set both');
    this.options = {
      model: judgeModel,
      // Servers of one's own often want none, the client insists on one.
      apiKey: judgeApiKey ?? 'none',
      configuration: { baseURL: judgeUrl },
      maxConcurrency: CONCURRENCY,
      maxRetries,
    };
  }

  async answer(conversations: readonly (readonly ChatMessage[])[], seed: number): Promise<string[]> {
    const model = new ChatOpenAI({
      ...this.options,
      temperature: 1,
      maxTokens: MAX_ANSWER_TOKENS,
      modelKwargs: { seed },
    });
    const replies = await asked(() => model.batch(conversations.map(toLangChain), { signal: this.signal }));
    return replies.map(({ text }) => text);
  }

  async letterLogProbs(
    conversations: readonly (readonly ChatMessage[])[],
    letters: readonly string[],
  ): Promise<number[][]> {
    const model = new ChatOpenAI({
      ...this.options,
      temperature: 0,
      maxTokens: 1,
      logprobs: true,
      topLogprobs: TOP_LOGPROBS,
    });
    const replies = await asked(() => model.batch(conversations.map(toLangChain), { signal: this.signal }));
    return replies.map(({ response_metadata: metadata, text }) => letterScores(metadata, text, letters));
  }
}

interface TokenAlternative {
  token: string;
  logprob: number;
}

/** From the alternatives of the first token; a server that tells none is taken at its word. */
function letterScores(metadata: Record<string, unknown>, text: string, letters: readonly string[]): number[] {
  const { logprobs } = metadata as { logprobs?: { content?: { top_logprobs?: TokenAlternative[] }[] } };
  const alternatives = logprobs?.content?.[0]?.top_logprobs;
  if (!alternatives?.length) return letters.map((letter) => (text.trim().startsWith(letter) ? 0 : ABSENT));
  return letters.map((letter) => {
    // " A" and "A" are two tokens and one answer.
    const said = alternatives.filter(({ token }) => token.trim() === letter);
    const probability = said.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0);
    return probability > 0 ? Math.log(probability) : ABSENT;
  });
}

const toLangChain = (messages: readonly ChatMessage[]) => messages.map(({ role, content }) => ({ role, content }));

async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    throw new UnavailableError(`The judge does not answer: ${messageOf(cause)}; check JUDGE_URL and JUDGE_MODEL`, {
      cause,
    });
  }
}
