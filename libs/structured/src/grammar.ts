import type { OutputStructure } from '@attune/contracts';
import type { LoadedXGrammar } from './xgrammar.js';

type JsonSchema = Record<string, unknown> | boolean;
/** A part of a grammar in xgrammar's own notation; always serialisable. */
type Format = Record<string, unknown>;

/** One line, as Python's json.dumps writes it: a small model could fill any amount of free whitespace. */
const ONE_LINE = -1;
const SEPARATORS: [string, string] = [', ', ': '];

/**
 * Turns a structure into xgrammar's notation.
 * @param leadingSpace the answer's tokens begin with a space that is no part of its text
 */
export async function formatOf(
  structure: OutputStructure,
  library: LoadedXGrammar['library'],
  leadingSpace: boolean,
): Promise<Format> {
  const inner = await innerFormat(structure, library);
  if (!leadingSpace) return inner;
  // Free text may be empty, so there the space is optional.
  const space = structure.type === 'tags' ? { type: 'regex', pattern: ' ?' } : { type: 'const_string', value: ' ' };
  return { type: 'sequence', elements: [space, inner] };
}

async function innerFormat(structure: OutputStructure, library: LoadedXGrammar['library']): Promise<Format> {
  switch (structure.type) {
    case 'json_object':
      return jsonFormat({ type: 'object' }, library);
    case 'json_schema':
      return jsonFormat(structure.schema, library);
    case 'regex':
      return { type: 'regex', pattern: structure.pattern };
    case 'choice':
      return { type: 'or', elements: structure.choices.map((value) => ({ type: 'const_string', value })) };
    case 'grammar':
      return { type: 'grammar', grammar: structure.ebnf };
    case 'tags':
      return tagsFormat(structure, library);
  }
}

/**
 * Answers that fit the schema, properties in its order. In strict mode properties it does not name are left out, even
 * where it would tolerate them; one that names none is free.
 */
async function jsonFormat(schema: JsonSchema, library: LoadedXGrammar['library']): Promise<Format> {
  const grammar = await library.Grammar.fromJSONSchema(JSON.stringify(schema), false, ONE_LINE, SEPARATORS, true);
  try {
    return { type: 'grammar', grammar: grammar.toString() };
  } finally {
    grammar.dispose();
  }
}

async function tagsFormat(
  { triggers, tags, atLeastOne, stopAfterFirst }: Extract<OutputStructure, { type: 'tags' }>,
  library: LoadedXGrammar['library'],
): Promise<Format> {
  const made: Format[] = [];
  for (const { begin, schema, end } of tags)
    made.push({ type: 'tag', begin, content: await jsonFormat(schema, library), end });
  return {
    type: 'triggered_tags',
    triggers,
    tags: made,
    at_least_one: atLeastOne,
    stop_after_first: stopAfterFirst,
  };
}
