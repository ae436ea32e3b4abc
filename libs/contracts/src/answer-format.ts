import { z } from 'zod';
import type { OutputStructure } from './structure.js';
import { jsonSchemaObject } from './tools.js';

/** `response_format` of chat completions. */
export const chatResponseFormat = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({
    type: z.literal('json_schema'),
    json_schema: z.strictObject({
      name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'it must be 1 to 64 letters, digits, `_` or `-`'),
      description: z.string().nullish(),
      schema: jsonSchemaObject.nullish(),
      strict: z.boolean().nullish().describe('Accepted: answers always follow the schema here.'),
    }),
  }),
]);
export type ChatResponseFormat = z.output<typeof chatResponseFormat>;

const schemaText = z.union([jsonSchemaObject, z.string()]);
const choices = z.array(z.string().min(1)).min(1).max(1000);

/** vLLM's names for answers of a form, https://docs.vllm.ai/en/latest/features/structured_outputs.html */
export const guidedFields = {
  guided_json: schemaText.nullish(),
  guided_regex: z.string().min(1).max(10_000).nullish(),
  guided_choice: choices.nullish(),
  guided_grammar: z.string().min(1).max(100_000).nullish().describe('EBNF as xgrammar and llama.cpp read it.'),
  structured_outputs: z
    .strictObject({
      json: schemaText.nullish(),
      regex: z.string().min(1).max(10_000).nullish(),
      choice: choices.nullish(),
      grammar: z.string().min(1).max(100_000).nullish(),
      json_object: z.boolean().nullish(),
    })
    .nullish(),
};
type GuidedFields = { [K in keyof typeof guidedFields]?: z.output<(typeof guidedFields)[K]> };

/** What a request asks the text of its answer to look like, and the field that asks it. */
export interface AskedStructure {
  param: string;
  structure: OutputStructure;
}

/** All that a request asks for at once; more than one is a contradiction. Schemas written as text are parsed. */
export function askedStructures(
  request: { response_format?: ChatResponseFormat | null } & GuidedFields,
  notJson: (param: string) => never,
): AskedStructure[] {
  const { response_format: format, structured_outputs: outputs } = request;
  const asked: AskedStructure[] = [];
  const add = (param: string, structure: OutputStructure | undefined) => structure && asked.push({ param, structure });
  add('response_format', format ? formatStructure(format) : undefined);
  const guided = {
    guided_json: request.guided_json,
    guided_regex: request.guided_regex,
    guided_choice: request.guided_choice,
    guided_grammar: request.guided_grammar,
    'structured_outputs.json': outputs?.json,
    'structured_outputs.regex': outputs?.regex,
    'structured_outputs.choice': outputs?.choice,
    'structured_outputs.grammar': outputs?.grammar,
  };
  for (const [param, value] of Object.entries(guided)) {
    if (value !== null && value !== undefined) add(param, guidedStructure(param, value, notJson));
  }
  if (outputs?.json_object) add('structured_outputs.json_object', { type: 'json_object' });
  return asked;
}

function formatStructure(format: ChatResponseFormat): OutputStructure | undefined {
  if (format.type === 'text') return undefined;
  if (format.type === 'json_object' || !format.json_schema.schema) return { type: 'json_object' };
  return { type: 'json_schema', schema: format.json_schema.schema };
}

function guidedStructure(param: string, value: unknown, notJson: (param: string) => never): OutputStructure {
  if (param.endsWith('json')) {
    return {
      type: 'json_schema',
      schema:
        typeof value === 'string'
          ? parsedSchema(value, () => notJson(param))
          : (value as object as Record<string, unknown>),
    };
  }
  if (param.endsWith('regex')) return { type: 'regex', pattern: value as string };
  if (param.endsWith('choice')) return { type: 'choice', choices: value as string[] };
  return { type: 'grammar', ebnf: value as string };
}

function parsedSchema(text: string, notJson: () => never): Record<string, unknown> {
  try {
    const schema: unknown = JSON.parse(text);
    if (typeof schema === 'object' && schema !== null && !Array.isArray(schema))
      return schema as Record<string, unknown>;
  } catch {
    // said below
  }
  return notJson();
}
