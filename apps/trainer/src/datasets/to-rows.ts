import type { ChatMessage, FunctionTool } from '@attune/contracts';
import { inPlainMessages } from '@attune/tokenizer';
import type { CuratedRow } from '../curation/curated-row.js';
import type { DataExample } from './example.js';

/** Where rows come from when no person's feedback stands behind them. */
export interface RowSource {
  readonly origin: 'file' | 'constitution';
  /** Names the file (or the writer); rows of one example stay on one side of the split. */
  readonly name: string;
}

/**
 * Training rows of an example: every turn of the assistant that is to be learnt is a demonstration, a ranking's
 * neighbours are preferences. Tools are written as text, in the form the model is served with where its template has none.
 */
export function toRows(example: DataExample, { origin, name }: RowSource, index: number): CuratedRow[] {
  const about = {
    origin,
    feedbackId: null,
    userId: `${origin}:${name}`,
    conversationId: `${origin}:${name}:${index}`,
  } as const;
  return pieces(example).map((piece) => ({ ...about, ...piece }));
}

type Piece = Pick<CuratedRow, 'kind' | 'prompt' | 'chosen' | 'rejected' | 'label'>;

function pieces(example: DataExample): Piece[] {
  const plain = (prompt: readonly ChatMessage[]) => asText(prompt, example.tools);
  switch (example.kind) {
    case 'conversation': {
      const untrained = new Set(example.untrained);
      return example.messages.flatMap((message, i) =>
        message.role === 'assistant' && !untrained.has(i) && i > 0
          ? [{ kind: 'demonstration', prompt: plain(example.messages.slice(0, i)), ...answered(message) } as const]
          : [],
      );
    }
    case 'preference': {
      const { chosen } = answered(example.chosen);
      const rejected = answered(example.rejected).chosen;
      return [{ kind: 'preference', prompt: plain(example.prompt), chosen, rejected, label: null }];
    }
    case 'thumb':
      return [{ kind: 'thumb', prompt: plain(example.prompt), ...answered(example.answer), label: example.liked }];
    case 'ranking':
      return example.answers.slice(1).map((rejected, i) => ({
        kind: 'preference',
        prompt: plain(example.prompt),
        chosen: example.answers[i]!,
        rejected,
        label: null,
      }));
  }
}

function answered(message: ChatMessage): { chosen: string; rejected: null; label: null } {
  return { chosen: asText([message])[0]!.content, rejected: null, label: null };
}

function asText(messages: readonly ChatMessage[], tools: readonly FunctionTool[] = []): ChatMessage[] {
  const declared = tools.map((tool) => ({ type: 'function' as const, function: tool }));
  return inPlainMessages(messages, declared) as ChatMessage[];
}
