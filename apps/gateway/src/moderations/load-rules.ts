import { moderationCategories } from '@attune/contracts';
import { InvalidRequestError, messageOf, type Config } from '@attune/platform';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { compileRules } from './moderate.js';
import { bundledRules } from './rules.js';

export const MODERATION_RULES = Symbol('ModerationRules');

export interface LoadedRules {
  /** `rules-` and the beginning of their digest. */
  name: string;
  rules: ReturnType<typeof compileRules>;
}

const rulesFile = z.array(
  z.strictObject({
    category: z.enum(moderationCategories),
    pattern: z.string().min(1).max(1000),
    weight: z.number().gt(0).max(1),
  }),
);

/** The operator's rules, or the bundled ones. @throws InvalidRequestError when the file cannot be used */
export function loadRules(config: Config): LoadedRules {
  const file = config.security.moderationRules;
  try {
    const rules = file === undefined ? bundledRules : rulesFile.parse(JSON.parse(readFileSync(file, 'utf8')));
    const digest = createHash('sha256').update(JSON.stringify(rules)).digest('hex');
    return { name: `rules-${digest.slice(0, 8)}`, rules: compileRules(rules) };
  } catch (error) {
    throw new InvalidRequestError(`MODERATION_RULES=${file} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}
