import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { InvalidRequestError, messageOf } from '@attune/platform';
import { z } from 'zod';
import { defaultConstitution } from './default-constitution.js';

/** One rule answers are measured by, in the words it is asked with. */
const principle = z.object({
  name: z.string().min(1),
  critique: z.string().min(1),
  revision: z.string().min(1),
  choice: z.string().min(1),
});
export type Principle = z.output<typeof principle>;
const constitution = z.array(principle).min(1);

/**
 * The principles a job names: `default`, or a file below `folder`. A JSON file is a list of principles with all four
 * texts; in a Markdown file each list item is one rule, from which the questions are worded.
 * @throws InvalidRequestError with what is wrong with the file
 */
export async function loadConstitution(name: string, folder: string): Promise<readonly Principle[]> {
  if (name === 'default') return defaultConstitution;
  const file = path.resolve(folder, name);
  if (!file.startsWith(path.resolve(folder) + path.sep))
    throw new InvalidRequestError(`The constitution \`${name}\` lies outside ${folder}; put it in there`);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new InvalidRequestError(`The constitution \`${name}\` cannot be read from ${folder}: ${messageOf(cause)}`, {
      cause,
    });
  });
  return name.endsWith('.json') ? fromJson(text, name) : fromMarkdown(text, name);
}

function fromJson(text: string, name: string): readonly Principle[] {
  try {
    return constitution.parse(JSON.parse(text));
  } catch (cause) {
    const sentence = cause instanceof z.ZodError ? cause.issues[0]!.message : messageOf(cause);
    throw new InvalidRequestError(
      `The constitution ${name} is no list of {name, critique, revision, choice}: ${sentence}`,
      { cause },
    );
  }
}

function fromMarkdown(text: string, name: string): readonly Principle[] {
  const rules = text.split('\n').flatMap((line) => /^\s*(?:[-*+]|\d+[.)])\s+(.+?)\s*$/.exec(line)?.[1] ?? []);
  if (rules.length === 0)
    throw new InvalidRequestError(`The constitution ${name} has no list items; write each rule as \`- …\``);
  return rules.map((rule, i) => ({
    name: `rule ${i + 1}`,
    critique: `The rule is: ${rule} Say where the answer breaks it.`,
    revision: `The rule is: ${rule} Rewrite the answer so that it keeps to it.`,
    choice: `The rule is: ${rule} Which answer keeps to it better?`,
  }));
}
