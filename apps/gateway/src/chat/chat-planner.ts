import {
  groundMessages,
  resolveSampling,
  type ChatMessage,
  type Citation,
  type OutputStructure,
} from '@attune/contracts';
import { createId, type Config } from '@attune/platform';
import { Inject, Injectable } from '@nestjs/common';
import { randomInt } from 'node:crypto';
import { CONFIG } from '../core/tokens.js';
import { PassageSearch } from '../documents/passage-search.js';
import { InferenceService } from '../inference/inference.service.js';
import { ServedModel } from '../inference/served-model.js';
import { declarations, toolStructure } from '../tools/tool-settings.js';
import type { ChatRequest, Plan } from './chat.types.js';
import {
  answerRoom,
  expectFits,
  expectKnownTokens,
  passageBudget,
  retrievalQuery,
  withInstructions,
  withSystemPrompt,
} from './prompt.js';

/** Takes every decision about a request before anything is written or run. */
@Injectable()
export class ChatPlanner {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly model: ServedModel,
    private readonly passages: PassageSearch,
    private readonly inference: InferenceService,
  ) {}

  /** @throws InvalidRequestError or NotFoundError saying what of the request cannot be done */
  async plan(request: ChatRequest): Promise<Plan> {
    this.model.expect(request.model);
    const sampling = resolveSampling(request.sampling, randomInt(2 ** 32));
    if (sampling.logitBias) {
      expectKnownTokens(Object.keys(sampling.logitBias), this.model.tokenizer.vocabSize, 'logit_bias');
    }
    const structure = await this.structure(request);
    const { messages, citations, promptIds } = await this.prompt(request);
    const maxTokens = answerRoom(
      this.model.id,
      this.model.context,
      promptIds.length,
      request.maxTokens,
      request.prompt ? 'prompt' : 'messages',
    );
    return { id: request.id ?? createId('chatcmpl'), messages, citations, promptIds, maxTokens, sampling, structure };
  }

  /** A call's arguments must follow their schema, and the text what was asked of it; calls that must come go first. */
  private async structure(request: ChatRequest): Promise<OutputStructure | undefined> {
    const calls = toolStructure(request.tools, this.inference.toolCallFormat);
    const structure = calls ?? request.structure;
    if (structure)
      await this.inference.expectStructure(structure, calls ? 'tools' : (request.structureParam ?? 'response_format'));
    return structure;
  }

  private async prompt(request: ChatRequest): Promise<Prompt> {
    const { id: model, context, longestToken } = this.model;
    if (request.prompt) return { messages: request.messages, citations: [], promptIds: request.prompt.ids };
    const asked = withInstructions(request.messages, request.instructions);
    const messages = withSystemPrompt(asked, this.config.model.systemPrompt);
    expectFits(model, context, messages, longestToken, declarations(request.tools));
    const plainIds = this.inference.encodePrompt(messages, declarations(request.tools));
    answerRoom(model, context, plainIds.length, request.maxTokens);
    return { messages, ...(await this.ground(messages, plainIds, request)) };
  }

  /** The prompt with the passages the answer is to stand on, the best ones, as many as the context has room for. */
  private async ground(messages: ChatMessage[], plainIds: number[], request: ChatRequest): Promise<Grounded> {
    const citations = await this.cite(messages, plainIds.length, request);
    for (; citations.length > 0; citations.pop()) {
      const quotes = citations.map((citation) => citation.quote);
      const promptIds = this.inference.encodePrompt(groundMessages(messages, quotes), declarations(request.tools));
      // The budget knows the passages, but not the words around them.
      if (promptIds.length + (request.maxTokens ?? 1) <= this.model.context) return { citations, promptIds };
    }
    return { citations, promptIds: plainIds };
  }

  private async cite(messages: ChatMessage[], messageTokens: number, request: ChatRequest): Promise<Citation[]> {
    if (request.passages) return [...request.passages];
    const query = retrievalQuery(messages);
    if (!request.retrieval || this.config.retrieval.retrieval === 'off' || query === undefined) return [];
    const budget = passageBudget(this.model.context, messageTokens, request.maxTokens);
    return this.passages.cite(query, budget, (text) => this.inference.countTokens(text));
  }
}

type Grounded = Pick<Plan, 'citations' | 'promptIds'>;
type Prompt = Pick<Plan, 'messages' | 'citations' | 'promptIds'>;
