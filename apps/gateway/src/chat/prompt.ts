import { type ChatMessage } from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';

/** A conversation that brings no system message gets the operator's. */
export function withSystemPrompt(messages: readonly ChatMessage[], systemPrompt: string | undefined): ChatMessage[] {
  if (systemPrompt === undefined || messages.some((message) => message.role === 'system')) return [...messages];
  return [{ role: 'system', content: systemPrompt }, ...messages];
}

/** The messages of a request, behind what was put before them for this answer only. */
export function withInstructions(messages: readonly ChatMessage[], instructions: string | undefined): ChatMessage[] {
  return instructions ? [{ role: 'system', content: instructions }, ...messages] : [...messages];
}

/** What passages are searched by: the user's last words. */
export function retrievalQuery(messages: readonly ChatMessage[]): string | undefined {
  const text = messages.findLast((message) => message.role === 'user')?.content.trim();
  return text === '' ? undefined : text;
}

const LONGEST_TITLE = 60;

/** A conversation is called by the first words of its user. */
export function conversationTitle(messages: readonly ChatMessage[]): string {
  const text = messages.find((message) => message.role === 'user')?.content ?? '';
  const line = text.replace(/\s+/g, ' ').trim();
  if (line === '') return 'New conversation';
  if (line.length <= LONGEST_TITLE) return line;
  const cut = line.slice(0, LONGEST_TITLE);
  const space = cut.lastIndexOf(' ');
  return `${space > LONGEST_TITLE / 2 ? cut.slice(0, space) : cut}…`;
}

/** Answer that is left room for where the client names no length. */
const ANSWER_RESERVE = 256;

/**
 * Tokens that passages may take: what remains after the messages and the answer, or half the context, whichever is less.
 * The whole answer a client asks for is left room, so that documents never make a request too long. All in tokens.
 */
export function passageBudget(context: number, messageTokens: number, maxTokens: number | undefined): number {
  const reserve = maxTokens ?? Math.min(ANSWER_RESERVE, Math.floor(context / 4));
  return Math.max(0, Math.min(Math.floor(context / 2), context - messageTokens - reserve));
}

/**
 * Refuses what cannot fit before it is tokenised, which takes seconds for megabytes.
 * @param longestToken of the vocabulary, in characters
 * @throws InvalidRequestError with code `context_length_exceeded`
 */
export function expectFits(
  model: string,
  context: number,
  messages: readonly ChatMessage[],
  longestToken: number,
  tools: readonly object[] = [],
  param: 'messages' | 'prompt' = 'messages',
): void {
  const characters = messages.reduce((sum, message) => sum + lengthOf(message), 0) + JSON.stringify(tools).length - 2;
  const least = Math.ceil(characters / longestToken);
  if (least < context) return;
  throw new InvalidRequestError(
    `The ${param} ${param === 'prompt' ? 'is' : 'are'} ${characters} characters, at least ${least} tokens, but \`${model}\` has a context of ${context} tokens for question and answer together; shorten them.`,
    { param, code: 'context_length_exceeded' },
  );
}

const lengthOf = ({ content, tool_calls: calls }: ChatMessage) =>
  content.length + (calls ? JSON.stringify(calls).length : 0);

/** @throws InvalidRequestError naming the first id (as text) that is none of the vocabulary's */
export function expectKnownTokens(ids: readonly (string | number)[], vocabSize: number, param: string): void {
  const wrong = ids.find((id) => !(Number(id) < vocabSize));
  if (wrong === undefined) return;
  throw new InvalidRequestError(`\`${param}\` names token ${wrong}; the vocabulary ends at ${vocabSize - 1}.`, {
    param,
  });
}

/**
 * How many tokens the answer may have.
 * @throws InvalidRequestError with code `context_length_exceeded`, naming the numbers, when prompt or answer does not fit
 */
export function answerRoom(
  model: string,
  context: number,
  promptTokens: number,
  maxTokens: number | undefined,
  param: 'messages' | 'prompt' = 'messages',
): number {
  const room = context - promptTokens;
  if (room < 1) {
    throw new InvalidRequestError(
      `The ${param} ${param === 'prompt' ? 'is' : 'are'} ${promptTokens} tokens, but \`${model}\` has a context of ${context} tokens for question and answer together; shorten them.`,
      { param, code: 'context_length_exceeded' },
    );
  }
  if (maxTokens !== undefined && maxTokens > room) {
    throw new InvalidRequestError(
      `\`max_tokens\` is ${maxTokens}, but after the ${promptTokens} tokens of the ${param} the context of \`${model}\` (${context}) has room for ${room}; lower it.`,
      { param: 'max_tokens', code: 'context_length_exceeded' },
    );
  }
  return maxTokens ?? room;
}
