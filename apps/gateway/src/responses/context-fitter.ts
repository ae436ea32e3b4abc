import type { ChatMessage } from '@attune/contracts';
import { InvalidRequestError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import { withInstructions } from '../chat/prompt.js';
import { InferenceService } from '../inference/inference.service.js';
import { ServedModel } from '../inference/served-model.js';
import { fittingMessages } from './item-messages.js';

export interface FittingWishes {
  instructions?: string;
  /** Tokens to leave for the answer. */
  maxTokens?: number;
  /** The share of the room that is filled when something has to go; 1 lets go of no more than must. */
  retention?: number;
}

/** Conversations that have grown too long lose their oldest turns. */
@Injectable()
export class ContextFitter {
  constructor(
    private readonly inference: InferenceService,
    private readonly model: ServedModel,
  ) {}

  /** @throws InvalidRequestError with code `context_length_exceeded` when not even the last turn fits */
  fit(messages: ChatMessage[], { instructions, maxTokens, retention = 1 }: FittingWishes): ChatMessage[] {
    const room = this.model.context - (maxTokens ?? 1);
    const length = (some: ChatMessage[]) => this.inference.encodePrompt(withInstructions(some, instructions)).length;
    const fits = (most: number) => (some: ChatMessage[]) => this.couldFit(some, most) && length(some) <= most;
    if (fits(room)(messages)) return messages;
    const rest = fittingMessages(messages, fits(room * retention)) ?? fittingMessages(messages, fits(room));
    if (rest) return rest;
    throw new InvalidRequestError(
      `Not even the last turn fits into the ${this.model.context} tokens of \`${this.model.id}\`; shorten it.`,
      { param: 'input', code: 'context_length_exceeded' },
    );
  }

  /** Megabytes are refused by their length, before they are tokenised. */
  private couldFit(messages: readonly ChatMessage[], most: number): boolean {
    const characters = messages.reduce((sum, { content }) => sum + content.length, 0);
    return characters / this.model.longestToken <= most;
  }
}
