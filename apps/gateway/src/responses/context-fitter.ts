import type { ChatMessage, ToolSettings } from '@attune/contracts';
import { InvalidRequestError, type Config } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import { withInstructions, withSystemPrompt } from '../chat/prompt.js';
import { CONFIG } from '../core/tokens.js';
import { InferenceService } from '../inference/inference.service.js';
import { ServedModel } from '../inference/served-model.js';
import { declarations } from '../tools/tool-settings.js';
import { fittingMessages } from './item-messages.js';

export interface FittingWishes {
  instructions?: string;
  tools?: ToolSettings;
  /** Tokens to leave for the answer. */
  maxTokens?: number;
  /** The share of the room that is filled when something has to go; 1 lets go of no more than must. */
  retention?: number;
}

/** Conversations that have grown too long lose their oldest turns. */
@Injectable()
export class ContextFitter {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly inference: InferenceService,
    private readonly model: ServedModel,
  ) {}

  /** @throws InvalidRequestError with code `context_length_exceeded` when not even the last turn fits */
  fit(messages: ChatMessage[], wishes: FittingWishes): ChatMessage[] {
    const { maxTokens, retention = 1 } = wishes;
    const room = this.model.context - (maxTokens ?? 1);
    const fits = (most: number) => (some: ChatMessage[]) =>
      this.couldFit(some, most) && this.length(some, wishes) <= most;
    if (fits(room)(messages)) return messages;
    const rest = fittingMessages(messages, fits(room * retention)) ?? fittingMessages(messages, fits(room));
    if (rest) return rest;
    throw new InvalidRequestError(
      `Not even the last turn fits into the ${this.model.context} tokens of \`${this.model.id}\`; shorten it.`,
      { param: 'input', code: 'context_length_exceeded' },
    );
  }

  private length(messages: ChatMessage[], { instructions, tools }: FittingWishes): number {
    const shown = withSystemPrompt(withInstructions(messages, instructions), this.config.model.systemPrompt);
    return this.inference.encodePrompt(shown, declarations(tools)).length;
  }

  /** Megabytes are refused by their length, before they are tokenised. */
  private couldFit(messages: readonly ChatMessage[], most: number): boolean {
    const characters = messages.reduce((sum, { content }) => sum + content.length, 0);
    return characters / this.model.longestToken <= most;
  }
}
