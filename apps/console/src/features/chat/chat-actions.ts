import type { ChatCompletionChunk, Feedback } from '@attune/contracts';
import type { QueryClient } from '@tanstack/react-query';
import { errorSentence } from '../../lib/api-client.js';
import { readApiKey, subscribeApiKey } from '../../lib/api-key.js';
import { queryKeys } from '../../lib/query-keys.js';
import { newLocalKey } from '../../lib/random-id.js';
import { sendFeedback } from './api/send-feedback.js';
import { streamCompletion } from './api/stream-completion.js';
import type { ChatSettings } from './chat-settings.js';
import {
  applyChunk,
  historyBefore,
  isRunning,
  newTry,
  rootCompletion,
  type Thread,
  type Try,
  type Turn,
  updateTry,
  updateTurn,
} from './thread.js';

export type AnswerSettings = Pick<ChatSettings, 'temperature' | 'retrieval'> & { model: string };

/**
 * Everything a person can do to a thread. Threads live in the query cache, so an answer keeps streaming into its
 * conversation while another one is on the screen.
 */
export class ChatActions {
  private readonly running = new Map<string, AbortController>();

  constructor(private readonly queryClient: QueryClient) {
    subscribeApiKey(() => {
      if (readApiKey() === null) for (const controller of this.running.values()) controller.abort();
    });
  }

  /** Asks; with `compare`, two answers are made and stand side by side. */
  send(conversationId: string, prompt: string, settings: AnswerSettings, compare: boolean): void {
    const tries = [newTry(newLocalKey()), ...(compare ? [newTry(newLocalKey())] : [])];
    const turn: Turn = { key: newLocalKey(), prompt, tries, shown: 0, comparing: compare };
    this.queryClient.setQueryData<Thread>(queryKeys.thread(conversationId), (thread) => [
      ...settled(thread ?? []),
      turn,
    ]);
    if (compare) void this.answerTwice(conversationId, turn, settings);
    else void this.answer(conversationId, turn.key, tries[0]!.key, settings, null);
  }

  /** Another answer to the same question, shown in place of the earlier ones. */
  tryAgain(conversationId: string, turn: Turn, settings: AnswerSettings): void {
    const next = newTry(newLocalKey());
    const root = rootCompletion(turn);
    // A try that never reached the gateway has nothing worth keeping.
    const kept = turn.tries.filter((one) => one.completionId !== null);
    this.update(conversationId, (thread) =>
      updateTurn(thread, turn.key, (current) => ({
        ...current,
        tries: [...kept, next],
        shown: kept.length,
        comparing: false,
      })),
    );
    void this.answer(conversationId, turn.key, next.key, settings, root);
  }

  show(conversationId: string, turn: Turn, index: number): void {
    this.update(conversationId, (thread) => updateTurn(thread, turn.key, (current) => ({ ...current, shown: index })));
  }

  /** Ends a comparison without a verdict. */
  keepBoth(conversationId: string, turn: Turn): void {
    this.update(conversationId, (thread) =>
      updateTurn(thread, turn.key, (current) => ({ ...current, comparing: false })),
    );
  }

  /** The verdict of a comparison. @throws ApiError; then the two stay side by side. */
  async choose(conversationId: string, turn: Turn, chosen: number): Promise<void> {
    const winner = turn.tries[chosen]!;
    const loser = turn.tries[1 - chosen]!;
    const feedback = await sendFeedback({
      type: 'choice',
      completion_id: winner.completionId!,
      rejected_completion_id: loser.completionId!,
    });
    this.addFeedback(conversationId, winner.key, feedback);
    this.update(conversationId, (thread) =>
      updateTurn(thread, turn.key, (current) => ({ ...current, shown: chosen, comparing: false })),
    );
  }

  addFeedback(conversationId: string, tryKey: string, feedback: Feedback): void {
    this.update(conversationId, (thread) =>
      updateTry(thread, tryKey, (one) => ({ ...one, feedback: [...one.feedback, feedback] })),
    );
  }

  /** Stops whatever is being answered in a conversation; what came so far stays. */
  stop(conversationId: string): void {
    for (const turn of this.thread(conversationId)) {
      for (const one of turn.tries) this.running.get(one.key)?.abort();
    }
  }

  /** The second answer starts when the first has a name, for it is filed as another try of it. */
  private async answerTwice(conversationId: string, turn: Turn, settings: AnswerSettings): Promise<void> {
    const [first, second] = turn.tries as [Try, Try];
    let secondStarted = false;
    await this.answer(conversationId, turn.key, first.key, settings, null, (completionId) => {
      secondStarted = true;
      void this.answer(conversationId, turn.key, second.key, settings, completionId);
    });
    if (secondStarted) return;
    this.update(conversationId, (thread) =>
      updateTurn(thread, turn.key, (current) => ({
        ...current,
        tries: current.tries.slice(0, 1),
        comparing: false,
      })),
    );
  }

  private async answer(
    conversationId: string,
    turnKey: string,
    tryKey: string,
    settings: AnswerSettings,
    regenerateOf: string | null,
    onOpened?: (completionId: string) => void,
  ): Promise<void> {
    const controller = new AbortController();
    this.running.set(tryKey, controller);
    const write = this.frameWriter(conversationId, tryKey);
    try {
      const question = {
        ...settings,
        conversationId,
        regenerateOf,
        messages: this.messagesFor(conversationId, turnKey),
      };
      let opened = false;
      for await (const chunk of streamCompletion(question, controller.signal)) {
        write.add(chunk);
        if (!opened) this.opened(conversationId, () => onOpened?.(chunk.id));
        opened = true;
      }
      write.flush();
      this.update(conversationId, (thread) => updateTry(thread, tryKey, completed));
    } catch (error) {
      write.flush();
      this.update(conversationId, (thread) => updateTry(thread, tryKey, (one) => ended(one, controller.signal, error)));
    } finally {
      this.running.delete(tryKey);
      void this.queryClient.invalidateQueries({ queryKey: queryKeys.conversations });
    }
  }

  private opened(conversationId: string, then: () => void): void {
    if (this.thread(conversationId).length === 1) {
      void this.queryClient.invalidateQueries({ queryKey: queryKeys.conversations });
    }
    then();
  }

  private messagesFor(conversationId: string, turnKey: string): { role: 'user' | 'assistant'; content: string }[] {
    const thread = this.thread(conversationId);
    const prompt = thread.find((turn) => turn.key === turnKey)!.prompt;
    return [...historyBefore(thread, turnKey), { role: 'user', content: prompt }];
  }

  /** Writes frames into the cache once a painted frame rather than once a token. */
  private frameWriter(conversationId: string, tryKey: string) {
    let waiting: ChatCompletionChunk[] = [];
    let scheduled = 0;
    const flush = () => {
      cancelAnimationFrame(scheduled);
      scheduled = 0;
      const chunks = waiting;
      waiting = [];
      if (chunks.length === 0) return;
      this.update(conversationId, (thread) => updateTry(thread, tryKey, (one) => chunks.reduce(applyChunk, one)));
    };
    const add = (chunk: ChatCompletionChunk) => {
      waiting.push(chunk);
      if (scheduled === 0) scheduled = requestAnimationFrame(flush);
    };
    return { add, flush };
  }

  private thread(conversationId: string): Thread {
    return this.queryClient.getQueryData<Thread>(queryKeys.thread(conversationId)) ?? [];
  }

  /** Does nothing to a thread that has been deleted or signed out of meanwhile. */
  private update(conversationId: string, change: (thread: Thread) => Thread): void {
    this.queryClient.setQueryData<Thread>(queryKeys.thread(conversationId), (thread) => thread && change(thread));
  }
}

/** Going on without a verdict ends a comparison. */
function settled(thread: Thread): Thread {
  return thread.map((turn) => (turn.comparing ? { ...turn, comparing: false } : turn));
}

/** A stream may end well without having named a reason. */
function completed(one: Try): Try {
  return isRunning(one.status) ? { ...one, status: 'done' } : one;
}

function ended(one: Try, signal: AbortSignal, error: unknown): Try {
  if (!isRunning(one.status)) return one;
  if (signal.aborted) return { ...one, status: 'cancelled', stopReason: 'cancelled' };
  return { ...one, status: 'failed', error: errorSentence(error) };
}
