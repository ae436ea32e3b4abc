import type { ChatMessage, OutputStructure } from '@attune/contracts';
import type { TokenEngine } from '@attune/engine';
import { InvalidRequestError, RateLimitedError, type Config } from '@attune/platform';
import type { ToolCallFormat, ToolDeclaration } from '@attune/tokenizer';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, ENGINE } from '../core/tokens.js';
import { InferenceStream } from './inference-stream.js';
import type { InferenceRequest } from './inference.types.js';
import { ServedModel } from './served-model.js';
import { TextOfTokens } from './text-of-tokens.js';

/** Messages to token ids, and the engine's tokens to text. */
@Injectable()
export class InferenceService {
  private waiting = 0;

  constructor(
    @Inject(ENGINE) private readonly engine: TokenEngine,
    @Inject(CONFIG) private readonly config: Config,
    private readonly model: ServedModel,
  ) {}

  /** Requests taken in that the engine has not begun. */
  get queueDepth(): number {
    return this.waiting;
  }

  /** The prompt under the model's chat template, ending where the assistant starts to speak. */
  encodePrompt(messages: readonly ChatMessage[], tools: readonly ToolDeclaration[] = []): number[] {
    return this.model.tokenizer.encodeChat(messages, { addGenerationPrompt: true, tools });
  }

  /** How the model writes calls of tools. */
  get toolCallFormat(): ToolCallFormat {
    return this.model.tokenizer.chatTemplate.toolCallFormat;
  }

  /**
   * Makes sure that answers can be held to `structure`; what is found good is ready when the request comes.
   * @param param the field that asks for it
   * @throws InvalidRequestError saying what in it is not possible
   */
  async expectStructure(structure: OutputStructure, param: string): Promise<void> {
    const check = await this.engine.checkStructure(structure);
    if (check.ok) return;
    throw new InvalidRequestError(`\`${param}\` cannot be followed: ${check.reason}.`, {
      param,
      code: 'unsupported_structure',
    });
  }

  countTokens(text: string): number {
    return this.model.tokenizer.encode(text).length;
  }

  /** Begins to run one prompt; leaving the stream or aborting `signal` ends it within a step. */
  generate(request: InferenceRequest, signal: AbortSignal): InferenceStream {
    const cancel = () => this.engine.cancel(request.id);
    const events = this.engine.generate({
      id: request.id,
      promptIds: request.promptIds,
      maxTokens: request.maxTokens,
      stopIds: request.ignoreEos ? [] : this.model.tokenizer.eosIds,
      sampling: request.sampling,
      logProbs: true,
      topLogProbs: request.topLogprobs,
      user: request.user,
      structure: request.structure,
      adapter: request.adapter,
      ...(request.patient ? { priority: -1 } : { startWithinMs: this.config.model.engineStartWithinSeconds * 1000 }),
    });
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
    const text = new TextOfTokens(this.model.tokenizer, request, cancel);
    // The signal may outlive the answer (a socket's does), and what listens to it holds the prompt.
    const ended = () => signal.removeEventListener('abort', cancel);
    return new InferenceStream(events[Symbol.asyncIterator](), text, cancel, ended);
  }

  /**
   * Takes a place in the queue, before the first await of a request, so that a crowd arriving together is counted; call
   * the result to give it back when the engine has begun or never will (more than once does no harm).
   * @throws RateLimitedError when as many requests wait as may
   */
  reserve(): () => void {
    const limit = this.config.model.engineQueueLimit;
    if (this.waiting >= limit) {
      throw new RateLimitedError(
        `${this.waiting} requests already wait for the model, the most ENGINE_QUEUE_LIMIT allows; try again shortly.`,
        { code: 'engine_overloaded', retryAfterSeconds: 2 },
      );
    }
    this.waiting += 1;
    let held = true;
    return () => {
      if (held) this.waiting -= 1;
      held = false;
    };
  }
}
