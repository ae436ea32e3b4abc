import {
  CompletionRepository,
  ConversationRepository,
  type Completion,
  type OpeningCompletion,
} from '@attune/persistence';
import { createId, InvalidRequestError, NotFoundError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import type { Caller } from '../auth/caller.js';
import { GatewayInstance } from '../core/gateway-instance.js';
import { ServedModel } from '../inference/served-model.js';
import type { ChatRequest, Plan } from './chat.types.js';
import { GroupCommit } from './group-commit.js';
import { conversationTitle } from './prompt.js';

/** Files a question under its conversation and commits the row its answer will be written to. */
@Injectable()
export class CompletionOpener {
  private readonly opening: GroupCommit<OpeningCompletion, boolean>;

  constructor(
    private readonly model: ServedModel,
    private readonly instance: GatewayInstance,
    private readonly conversations: ConversationRepository,
    private readonly completions: CompletionRepository,
  ) {
    this.opening = new GroupCommit(async (rows) => {
      const opened = await this.completions.openAll(rows);
      return rows.map((row) => opened.has(row.id));
    });
  }

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
    const row = this.row(caller, request, plan, place ?? createId('conv'));
    const opened = await this.opening.add(row);
    // Two first questions of one new conversation may have met: the second finds it made.
    if (!opened && !(await this.opening.add(row))) {
      throw new NotFoundError(`You have no conversation \`${row.conversationId}\`.`, { param: 'conversation_id' });
    }
    return row.conversationId;
  }

  private row(caller: Caller, request: ChatRequest, plan: Plan, conversationId: string): OpeningCompletion {
    return {
      id: plan.id,
      conversationId,
      title: conversationTitle(plan.messages),
      userId: caller.userId,
      apiKeyId: caller.keyId,
      instanceId: this.instance.id,
      regenerateOf: request.regenerateOf ?? null,
      source: request.source,
      model: this.model.id,
      messages: plan.messages,
      promptTokenIds: plan.promptIds,
      sampling: settingsOf(request, plan),
      seed: plan.sampling.seed,
      promptTokens: plan.promptIds.length,
      citations: plan.citations,
      stored: request.stored ?? false,
      metadata: request.metadata ?? {},
      groupId: request.group?.id ?? null,
      choiceIndex: request.group?.index ?? 0,
    };
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

/** How the answer was asked for, as the row keeps it. */
function settingsOf(request: ChatRequest, plan: Plan): object {
  return {
    ...plan.sampling,
    maxTokens: plan.maxTokens,
    stop: request.stop,
    // Instructions or the operator's system message: leading messages that are not the conversation's own.
    leadingMessages: plan.messages.length - request.messages.length,
    ...(request.tools && { tools: request.tools }),
    ...(request.structure && { structure: request.structure }),
    ...(request.ignoreEos && { ignoreEos: true }),
  };
}
