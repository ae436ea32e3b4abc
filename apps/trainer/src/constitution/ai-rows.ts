import type { TuningJobConfig } from '@attune/contracts';
import { deriveSeed } from '@attune/platform';
import type { SplitRow, SuppliedRow } from '../curation/curated-row.js';
import { toRows } from '../datasets/to-rows.js';
import type { Journal } from '../jobs/journal.js';
import { type AiPreference, labelPairs, numMixed } from './ai-preferences.js';
import { reviseAnswers } from './critique-revision.js';
import type { Judge } from './judge.js';
import type { Principle } from './principle.js';

export interface AiFeedbackPlan {
  readonly config: Pick<TuningJobConfig, 'ai_feedback' | 'seed'>;
  readonly principles: readonly Principle[];
  readonly judge: Judge;
  /** Who writes the answers that are compared: the weights to be trained. */
  readonly writer: Pick<Judge, 'answer'>;
  readonly journal: Pick<Journal, 'info'>;
}

/** Whether a job asks a model for demonstrations or preferences at all. */
export const wantsAiFeedback = ({ ai_feedback: { revisions, preference_share } }: TuningJobConfig): boolean =>
  revisions > 0 || preference_share > 0;

/**
 * Training rows under a constitution: revised answers to learn, and labelled pairs beside people's own preferences at the
 * share the job asks for. Made of training prompts only, so that the held-out side stays people's.
 */
export async function aiRows(rows: readonly SplitRow[], plan: AiFeedbackPlan): Promise<SuppliedRow[]> {
  const { ai_feedback: settings, seed } = plan.config;
  const train = rows.filter(({ split }) => split === 'train');
  const unique = new Map(train.map(({ prompt }) => [JSON.stringify(prompt), prompt]));
  const prompts = [...unique.values()].slice(0, settings.max_prompts);
  const revised =
    settings.revisions === 0
      ? []
      : await reviseAnswers(plan.judge, {
          prompts,
          principles: plan.principles,
          rounds: settings.revisions,
          seed: deriveSeed(seed, 'revisions'),
        });
  const numHuman = train.filter(({ kind }) => kind === 'preference').length;
  const labelled = settings.preference_share === 0 ? [] : await surestPreferences(prompts, numHuman, plan);
  plan.journal.info(
    `Under the constitution: ${revised.length} revised answers to learn and ${labelled.length} preferences of a judge ` +
      `beside ${numHuman} of people, from ${prompts.length} prompts`,
  );
  return [...revised, ...labelled.map(({ example }) => example)].flatMap((example, i) =>
    toRows(example, { origin: 'constitution', name: settings.constitution }, i).map((row) => ({
      ...row,
      side: 'train' as const,
    })),
  );
}

async function surestPreferences(
  prompts: readonly SplitRow['prompt'][],
  numHuman: number,
  { config, judge, writer, principles }: AiFeedbackPlan,
): Promise<AiPreference[]> {
  const first = await writer.answer(prompts, deriveSeed(config.seed, 'first try'));
  const second = await writer.answer(prompts, deriveSeed(config.seed, 'second try'));
  const pairs = prompts.map((prompt, i) => ({ prompt, answers: [first[i]!, second[i]!] as const }));
  const labelled = await labelPairs(judge, pairs, principles, deriveSeed(config.seed, 'labels'));
  const count = numMixed(numHuman, labelled.length, config.ai_feedback.preference_share);
  return [...labelled].sort((a, b) => b.confidence - a.confidence).slice(0, count);
}
