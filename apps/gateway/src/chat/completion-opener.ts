import { CompletionRepository, ConversationRepository, type Completion } from '@attune/persistence';
import { InvalidRequestError, NotFoundError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { ServedModel } from '../inference/served-model.js';
import type { ChatRequest, Plan } from './chat.types.js';
import { conversationTitle } from './prompt.js';

/** Files a question under its conversation and commits the row its answer will be written to. */
@Injectable()
export class CompletionOpener {
  constructor(
    private readonly model: ServedModel,
    private readonly conversations: ConversationRepository,
    private readonly completions: CompletionRepository,
  ) {}

  /**
   * The conversation the answer belongs to, undefined for a new one; asked before anything is spent on the answer.
   * @throws NotFoundError for a conversation or an earlier try that is not the caller's
   */
  async place(caller: Caller, request: ChatRequest): Promise<string | undefined> {
    const original = await this.original(caller, request.regenerateOf);
    const asked = request.conversationId ?? caller.conversationId ?? original?.conversationId;
    if (original && asked !== original.conversationId) {
      throw new InvalidRequestError(
        `\`metadata.regenerate_of\` names a completion of conversation \`${original.conversationId}\`, not of \`${asked}\`; leave \`conversation_id\` out.`,
        { param: 'metadata.regenerate_of' },
      );
    }
    if (asked !== undefined) await this.conversations.expectUsable(asked, caller.userId);
    return asked;
  }

  /**
   * From here on feedback can refer to the answer. Returns the conversation's id.
   * @param place what {@link place} said
   * @throws NotFoundError when the conversation has become somebody else's or was deleted meanwhile
   */
  async open(caller: Caller, request: ChatRequest, plan: Plan, place: string | undefined): Promise<string> {
    const title = conversationTitle(plan.messages);
    const conversation = await this.conversations.findOrCreate(place, caller.userId, title);
    await this.completions.open({
      id: plan.id,
      conversationId: conversation.id,
      userId: caller.userId,
      apiKeyId: caller.keyId,
      regenerateOf: request.regenerateOf ?? null,
      source: request.source,
      model: this.model.id,
      messages: plan.messages,
      promptTokenIds: plan.promptIds,
      sampling: {
        ...plan.sampling,
        maxTokens: plan.maxTokens,
        stop: request.stop,
        // Instructions or the operator's system message: leading messages that are not the conversation's own.
        leadingMessages: plan.messages.length - request.messages.length,
      },
      seed: plan.sampling.seed,
      promptTokens: plan.promptIds.length,
      citations: plan.citations,
    });
    return conversation.id;
  }

  private async original(caller: Caller, id: string | undefined): Promise<Completion | undefined> {
    if (id === undefined) return undefined;
    const completion = await this.completions.get(id);
    if (completion.userId !== caller.userId) {
      throw new NotFoundError(`You have no completion \`${id}\`.`, { param: 'metadata.regenerate_of' });
    }
    return completion;
  }
}
