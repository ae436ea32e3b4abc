import { z } from 'zod';

/**
 * What an answer must look like; the engine draws only tokens that keep it so.
 * The API's `response_format`, `tools` and extensions are all turned into one of these.
 */
const jsonSchema = z.record(z.string(), z.unknown()).or(z.boolean());

export const outputStructure = z.discriminatedUnion('type', [
  z.object({ type: z.literal('json_object') }),
  z.object({ type: z.literal('json_schema'), schema: jsonSchema }),
  z.object({ type: z.literal('regex'), pattern: z.string() }),
  z.object({ type: z.literal('choice'), choices: z.array(z.string()).min(1) }),
  z.object({ type: z.literal('grammar'), ebnf: z.string() }).describe('EBNF as llama.cpp and xgrammar read it.'),
  z
    .object({
      type: z.literal('tags'),
      triggers: z.array(z.string().min(1)).min(1),
      tags: z.array(z.object({ begin: z.string(), schema: jsonSchema, end: z.string() })).min(1),
      atLeastOne: z.boolean().describe('The answer starts with a tag (tool_choice required).'),
      stopAfterFirst: z.boolean().describe('Nothing follows the first tag (no parallel tool calls).'),
    })
    .describe('Free text in which a trigger starts one of the tags, whose inside follows its schema: tool calls.'),
]);
export type OutputStructure = z.output<typeof outputStructure>;
