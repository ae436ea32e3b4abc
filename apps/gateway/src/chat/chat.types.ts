import type {
  ChatCompletionRequest,
  ChatMessage,
  Citation,
  FinishReason,
  OutputStructure,
  samplingFields,
  SamplingParams,
  TokenLogprob,
  ToolSettings,
  Usage,
} from '@attune/contracts';

/** What a request says about sampling, still in wire names; what it leaves out takes the defaults of contracts. */
export type WireSampling = Pick<ChatCompletionRequest, keyof typeof samplingFields> & {
  logit_bias?: Record<string, number> | null;
};

/** A question as every transport hands it in: REST, Realtime and Responses meet here. */
export interface ChatRequest {
  source: 'chat' | 'realtime' | 'responses' | 'completions';
  /** The served model's id, or `default`. */
  model: string;
  messages: ChatMessage[];
  /** A system message for this answer only, before the others; what continues the conversation leaves it behind. */
  instructions?: string;
  sampling: WireSampling;
  /** Most tokens of the answer; undefined takes what the context leaves. */
  maxTokens?: number;
  /** Texts that end the answer, never part of it. */
  stop: string[];
  conversationId?: string;
  /** The completion this one is another try of. */
  regenerateOf?: string;
  /** Whether passages of uploaded documents may be put into the prompt. */
  retrieval: boolean;
  /** Passages found already, best first; they take the place of a search. */
  passages?: Citation[];
  /** The answer's id, where the protocol has told it to the client already. */
  id?: string;
  /** Functions the model may call; left out or mode `none`: it is shown none. */
  tools?: ToolSettings;
  /** What the text must look like; not together with tools the model may choose to call (mode `auto`). */
  structure?: OutputStructure;
  /** The field that asks for it, for refusals. Default `response_format`. */
  structureParam?: string;
  /** Tell each token's likelihood, and that of this many rivals (0 to 20); left out: do not tell. */
  topLogprobs?: number;
  /** Go on after the end of the turn, up to the most tokens. */
  ignoreEos?: boolean;
  /** Wait behind requests that are in a hurry. */
  patient?: boolean;
  /** Whether the client's own list of completions shows it; its row is written in any case. */
  stored?: boolean;
  /** The client's own notes, written beside the answer. */
  metadata?: Record<string, string>;
  /** Of several answers to one request: the first one's id, and which one this is. */
  group?: { id: string; index: number };
  /** A prompt that is continued as it stands, in place of messages under the chat template. */
  prompt?: { ids: number[] };
}

/**
 * One request gives: opened, started, (text | tool_call | tool_arguments)*, finished; or it throws one of the product's
 * errors. Each tool_call is followed by the pieces of its arguments (JSON text) before the next one begins.
 */
export type AnswerEvent =
  | {
      /** The completion row is committed. */
      type: 'opened';
      id: string;
      /** Unix seconds. */
      created: number;
      model: string;
      conversationId: string;
      citations: Citation[];
    }
  | { type: 'started'; fingerprint: string }
  | { type: 'text'; text: string; logprobs?: TokenLogprob[] }
  /** A call begins; `index` counts the calls of this answer from 0. */
  | { type: 'tool_call'; index: number; id: string; name: string }
  | { type: 'tool_arguments'; index: number; text: string }
  | { type: 'finished'; reason: FinishReason; usage: Usage };

export type OpenedEvent = Extract<AnswerEvent, { type: 'opened' }>;

/** A request with every decision taken. */
export interface Plan {
  id: string;
  /** What the answer must look like, be it asked for or needed by the tools. */
  structure?: OutputStructure;
  /** The client's messages, the operator's system message included, passages not. */
  messages: ChatMessage[];
  citations: Citation[];
  /** Of the messages with the passages, under the chat template. */
  promptIds: number[];
  maxTokens: number;
  sampling: SamplingParams;
}
