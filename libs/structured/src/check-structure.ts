import type { OutputStructure } from '@attune/contracts';

/** Larger ones are refused: compiling is the server's time. */
const MOST_STRUCTURE_CHARACTERS = 256 * 1024;

/** Why a structure cannot work, as far as can be told without compiling it; null = nothing found. */
export function problemOfStructure(structure: OutputStructure): string | null {
  const { length } = JSON.stringify(structure);
  if (length > MOST_STRUCTURE_CHARACTERS)
    return `the structure has ${length} characters; at most ${MOST_STRUCTURE_CHARACTERS} are compiled`;
  if (structure.type === 'choice') return problemOfChoices(structure.choices);
  return structure.type === 'tags' ? problemOfTags(structure) : null;
}

function problemOfChoices(choices: readonly string[]): string | null {
  return choices.includes('') ? 'a choice is empty; give every choice at least one character' : null;
}

function problemOfTags({ triggers, tags }: Extract<OutputStructure, { type: 'tags' }>): string | null {
  for (const { begin } of tags) {
    const matching = triggers.filter((trigger) => begin.startsWith(trigger));
    if (matching.length === 1) continue;
    const found = matching.length === 0 ? 'none of' : `${matching.length} of`;
    return `the tag "${begin}" starts with ${found} the triggers; it must start with exactly one`;
  }
  const idle = triggers.find((trigger) => !tags.some(({ begin }) => begin.startsWith(trigger)));
  return idle === undefined ? null : `the trigger "${idle}" starts none of the tags; remove it or add its tag`;
}
