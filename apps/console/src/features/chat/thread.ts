import type { ChatCompletionChunk, Citation, Conversation, ConversationTurn, Feedback, Usage } from '@attune/contracts';

/** `waiting`: asked for by this page, nothing came yet. `elsewhere`: another page is streaming it. */
export type TryStatus = 'waiting' | 'streaming' | 'elsewhere' | 'done' | 'cancelled' | 'failed';

/** One answer to a turn's question; a regenerated turn has several. */
export interface Try {
  /** Stable on this page, also before the gateway has named the completion. */
  key: string;
  completionId: string | null;
  answer: string;
  status: TryStatus;
  /** The gateway's sentence when it failed. */
  error: string | null;
  /** Digest of the weights it came from. */
  fingerprint: string | null;
  citations: Citation[];
  feedback: Feedback[];
  usage: Usage | null;
  /** `length` when the answer was cut off by the token limit. */
  stopReason: string | null;
}

export interface Turn {
  key: string;
  prompt: string;
  tries: Try[];
  /** Index of the try the conversation goes on from. */
  shown: number;
  /** Two tries stand side by side until one is picked. */
  comparing: boolean;
}

export type Thread = Turn[];

/** Tries of one turn are chained by `regenerate_of`; the turn is where its first try stands. */
export function threadFromConversation(conversation: Conversation): Thread {
  const turnOfCompletion = new Map<string, Turn>();
  const thread: Thread = [];
  for (const row of conversation.turns) {
    const earlier = row.regenerate_of === null ? undefined : turnOfCompletion.get(row.regenerate_of);
    const turn = earlier ?? { key: row.completion_id, prompt: row.prompt, tries: [], shown: 0, comparing: false };
    if (!earlier) thread.push(turn);
    turn.tries.push(tryFromRow(row));
    turnOfCompletion.set(row.completion_id, turn);
  }
  for (const turn of thread) turn.shown = preferredTry(turn.tries);
  return thread;
}

const statusOfRow: Record<ConversationTurn['status'], TryStatus> = {
  open: 'elsewhere',
  done: 'done',
  cancelled: 'cancelled',
  failed: 'failed',
  lost: 'failed',
};

function tryFromRow(row: ConversationTurn): Try {
  return {
    ...newTry(row.completion_id),
    completionId: row.completion_id,
    answer: row.answer,
    status: statusOfRow[row.status],
    error: row.status === 'lost' ? 'The gateway stopped while this was being answered.' : null,
    fingerprint: row.system_fingerprint,
    citations: row.citations,
    feedback: row.feedback,
    stopReason: row.stop_reason,
  };
}

/** The one chosen over another, else the newest. */
function preferredTry(tries: Try[]): number {
  const chosen = tries.findLastIndex((one) => one.feedback.some((entry) => entry.type === 'choice'));
  return chosen === -1 ? tries.length - 1 : chosen;
}

export function newTry(key: string): Try {
  return {
    key,
    completionId: null,
    answer: '',
    status: 'waiting',
    error: null,
    fingerprint: null,
    citations: [],
    feedback: [],
    usage: null,
    stopReason: null,
  };
}

/** What one frame of the stream adds to a try. */
export function applyChunk(current: Try, chunk: ChatCompletionChunk): Try {
  const choice = chunk.choices[0];
  const finish = choice?.finish_reason ?? null;
  return {
    ...current,
    completionId: chunk.id,
    fingerprint: chunk.system_fingerprint || current.fingerprint,
    answer: current.answer + (choice?.delta.content ?? ''),
    citations: chunk.citations ?? current.citations,
    usage: chunk.usage ?? current.usage,
    stopReason: finish ?? current.stopReason,
    status: finish !== null || current.status === 'done' ? 'done' : 'streaming',
  };
}

/** The messages before a turn, each earlier turn with the answer that is shown; failed and empty answers are left out. */
export function historyBefore(
  thread: Thread,
  turnKey: string | null,
): { role: 'user' | 'assistant'; content: string }[] {
  const end = turnKey === null ? thread.length : thread.findIndex((turn) => turn.key === turnKey);
  return thread.slice(0, end).flatMap((turn) => {
    const answer = turn.tries[turn.shown];
    if (!answer || answer.answer === '') return [];
    return [
      { role: 'user' as const, content: turn.prompt },
      { role: 'assistant' as const, content: answer.answer },
    ];
  });
}

/** The completion further tries of this turn name in `regenerate_of`. */
export function rootCompletion(turn: Turn): string | null {
  return turn.tries.find((one) => one.completionId !== null)?.completionId ?? null;
}

/** Whether the answer is still awaited or being written. */
export function isRunning(status: TryStatus): boolean {
  return status === 'waiting' || status === 'streaming';
}

/** Whether this page is writing into the thread; then it must not be replaced by what the gateway has stored. */
export function isAnswering(thread: Thread): boolean {
  return thread.some((turn) => turn.tries.some((one) => isRunning(one.status)));
}

export function isAnsweredElsewhere(thread: Thread): boolean {
  return thread.some((turn) => turn.tries.some((one) => one.status === 'elsewhere'));
}

export function updateTurn(thread: Thread, turnKey: string, change: (turn: Turn) => Turn): Thread {
  return thread.map((turn) => (turn.key === turnKey ? change(turn) : turn));
}

export function updateTry(thread: Thread, tryKey: string, change: (one: Try) => Try): Thread {
  return thread.map((turn) =>
    turn.tries.some((one) => one.key === tryKey)
      ? { ...turn, tries: turn.tries.map((one) => (one.key === tryKey ? change(one) : one)) }
      : turn,
  );
}
