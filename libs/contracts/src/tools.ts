import { z } from 'zod';

/** A JSON Schema as clients write it. */
export const jsonSchemaObject = z.record(z.string(), z.unknown());

/** What functions are called: the letters OpenAI allows, so that a name can stand in any model's call format. */
export const functionName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'it must be 1 to 64 letters, digits, `_` or `-`');

export const functionDefinition = z.strictObject({
  name: functionName,
  description: z.string().nullish(),
  parameters: jsonSchemaObject.nullish().describe('JSON Schema of the arguments; left out: no arguments.'),
  strict: z.boolean().nullish().describe('Accepted: arguments always follow the schema here.'),
});

/** A function the model may call, all defaults filled in. */
export interface FunctionTool {
  name: string;
  description?: string;
  /** JSON Schema of the arguments object. */
  parameters: Record<string, unknown>;
}

/** What the model is to do with its tools. */
export interface ToolChoice {
  /** auto: the model decides; required: at least one call, from the first token on; none: tools are not shown. */
  mode: 'none' | 'auto' | 'required';
  /** The only functions that may be called, by name; left out: all. */
  allowed?: string[];
}

/** The tools of one request, whichever API it came in by. */
export interface ToolSettings {
  functions: FunctionTool[];
  choice: ToolChoice;
  /** Whether one answer may hold several calls. */
  parallel: boolean;
}

/** A call as messages carry it, in rows and on the wire alike; `arguments` is JSON as the model wrote it. */
export interface ToolCall {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
}

/** The token, its likelihood at temperature 1, and its likeliest rivals; the shape all of OpenAI's APIs share. */
export interface TokenLogprob {
  token: string;
  logprob: number;
  /** UTF-8; characters of several tokens have to be put together from these. */
  bytes: number[] | null;
  top_logprobs: { token: string; logprob: number; bytes: number[] | null }[];
}

/** Less likely tokens are told as this: JSON knows no infinity. */
export const LEAST_LOGPROB = -9999;

/** Readable defaults for what a definition leaves out. */
export const toFunctionTool = (definition: z.output<typeof functionDefinition>): FunctionTool => ({
  name: definition.name,
  ...(definition.description && { description: definition.description }),
  parameters: definition.parameters ?? { type: 'object', properties: {}, additionalProperties: false },
});

const namedFunction = z.strictObject({
  type: z.literal('function'),
  function: z.strictObject({ name: functionName }),
});

/** Tools as chat completions know them; `custom` ones are refused by name. */
export const chatTool = z.strictObject({ type: z.literal('function'), function: functionDefinition });

export const chatToolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  namedFunction,
  z.strictObject({
    type: z.literal('allowed_tools'),
    allowed_tools: z.strictObject({ mode: z.enum(['auto', 'required']), tools: z.array(namedFunction).min(1) }),
  }),
]);
export type ChatToolChoice = z.output<typeof chatToolChoice>;

const MOST_TOOLS = 128;

export const chatToolFields = {
  tools: z.array(chatTool).max(MOST_TOOLS).nullish(),
  tool_choice: chatToolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  functions: z.array(functionDefinition).max(MOST_TOOLS).nullish().describe('The older form of `tools`.'),
  function_call: z
    .union([z.enum(['none', 'auto']), z.strictObject({ name: functionName })])
    .nullish()
    .describe('The older form of `tool_choice`.'),
};
type ChatToolFields = { [K in keyof typeof chatToolFields]?: z.output<(typeof chatToolFields)[K]> };

/** The tools of a chat completion; undefined when it brings none. `functions` allow one call an answer. */
export function chatToolSettings(request: ChatToolFields): ToolSettings | undefined {
  if (request.tools?.length) {
    return {
      functions: request.tools.map((tool) => toFunctionTool(tool.function)),
      choice: toToolChoice(request.tool_choice ?? 'auto'),
      // A named function is one call: that is what naming it asks for.
      parallel: (request.parallel_tool_calls ?? true) && !isNamed(request.tool_choice),
    };
  }
  if (!request.functions?.length) return undefined;
  const call = request.function_call ?? 'auto';
  const choice: ToolChoice = typeof call === 'string' ? { mode: call } : { mode: 'required', allowed: [call.name] };
  return { functions: request.functions.map(toFunctionTool), choice, parallel: false };
}

function toToolChoice(wire: ChatToolChoice): ToolChoice {
  if (typeof wire === 'string') return { mode: wire };
  if (wire.type === 'function') return { mode: 'required', allowed: [wire.function.name] };
  const { mode, tools } = wire.allowed_tools;
  return { mode, allowed: tools.map((tool) => tool.function.name) };
}

const isNamed = (choice: ChatToolChoice | null | undefined) =>
  typeof choice === 'object' && choice !== null && choice.type === 'function';
