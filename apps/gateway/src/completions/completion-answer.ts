import type { CompletionLogprobs, TextCompletion, TextCompletionChoice, TokenLogprob, Usage } from '@attune/contracts';
import { InternalError } from '@attune/platform';
import type { OpenedEvent } from '../chat/chat.types.js';
import { totalUsage } from '../openai/chat-answer.js';
import type { ChoiceEvent } from '../openai/choices.js';

export interface CompletionSettings {
  /** What stands before each answer. */
  echoes: readonly string[];
  logprobs: boolean;
  includeUsage: boolean;
}

/** The pieces of an answer, each in the shape a stream sends it; usage, if asked for, after the last. */
export async function* completionChunks(
  events: AsyncIterable<ChoiceEvent>,
  settings: CompletionSettings,
): AsyncGenerator<TextCompletion> {
  const choices: Choice[] = [];
  let last: TextCompletion | undefined;
  for await (const { choice: index, event } of events) {
    const choice = (choices[index] ??= new Choice(settings.echoes[index] ?? ''));
    const head = () => headOf(choices[0].opened!, choice.fingerprint);
    if (event.type === 'opened') choice.opened = event;
    else if (event.type === 'started') {
      choice.fingerprint = event.fingerprint;
      if (choice.echo !== '') yield { ...head(), choices: [choice.piece(index, choice.echo)] };
    } else if (event.type === 'text') {
      const logprobs = settings.logprobs ? choice.logprobs(event.logprobs ?? []) : null;
      yield { ...head(), choices: [{ ...choice.piece(index, event.text), logprobs }] };
    } else if (event.type === 'finished') {
      choice.usage = event.usage;
      const reason = event.reason === 'length' ? 'length' : 'stop';
      last = {
        ...head(),
        choices: [{ ...choice.piece(index, ''), finish_reason: reason, completion_id: choice.opened!.id }],
      };
      yield last;
    }
  }
  if (!settings.includeUsage || !last) return;
  yield { ...last, choices: [], usage: totalUsage(choices.map((choice) => choice.usage!)) };
}

/** The answers in one piece. */
export async function wholeCompletion(
  events: AsyncIterable<ChoiceEvent>,
  settings: CompletionSettings,
): Promise<TextCompletion> {
  const choices: TextCompletionChoice[] = [];
  let last: TextCompletion | undefined;
  for await (const chunk of completionChunks(events, { ...settings, includeUsage: true })) {
    last = chunk;
    for (const piece of chunk.choices) choices[piece.index] = joined(choices[piece.index], piece);
  }
  if (!last?.usage) throw new InternalError('The completion ended without saying how.');
  return { ...last, choices };
}

/** One of the answers, as far as it has come. */
class Choice {
  opened: OpenedEvent | undefined;
  fingerprint = '';
  usage: Usage | undefined;
  private offset: number;

  constructor(readonly echo: string) {
    this.offset = echo.length;
  }

  piece(index: number, text: string): TextCompletionChoice {
    return { index, text, logprobs: null, finish_reason: null };
  }

  logprobs(tokens: TokenLogprob[]): CompletionLogprobs {
    const rivals = tokens.some((token) => token.top_logprobs.length > 0);
    // Special tokens have a name, but no place in the text.
    const lengths = tokens.map(({ token, bytes }) => (bytes === null ? 0 : token.length));
    const text_offset = lengths.map((length) => (this.offset += length) - length);
    return {
      tokens: tokens.map((token) => token.token),
      token_logprobs: tokens.map((token) => token.logprob),
      top_logprobs: rivals
        ? tokens.map(({ top_logprobs }) => Object.fromEntries(top_logprobs.map((one) => [one.token, one.logprob])))
        : null,
      text_offset,
    };
  }
}

const headOf = (opened: OpenedEvent, fingerprint: string) => ({
  id: opened.id,
  object: 'text_completion' as const,
  created: opened.created,
  model: opened.model,
  system_fingerprint: fingerprint,
});

function joined(before: TextCompletionChoice | undefined, piece: TextCompletionChoice): TextCompletionChoice {
  if (!before) return piece;
  return {
    ...before,
    ...piece,
    text: before.text + piece.text,
    logprobs: joinedLogprobs(before.logprobs, piece.logprobs),
  };
}

function joinedLogprobs(a: CompletionLogprobs | null, b: CompletionLogprobs | null): CompletionLogprobs | null {
  if (!a || !b) return a ?? b;
  return {
    tokens: [...a.tokens, ...b.tokens],
    token_logprobs: [...a.token_logprobs, ...b.token_logprobs],
    top_logprobs: a.top_logprobs && b.top_logprobs ? [...a.top_logprobs, ...b.top_logprobs] : null,
    text_offset: [...a.text_offset, ...b.text_offset],
  };
}
