import type { Random } from '@attune/platform';
import { fillTemplate, type Slots } from './template.js';
import { matches, type Scoring, type ScoringMethod } from './scoring.js';

export type Role = 'system' | 'user' | 'assistant';
export interface ChatMessage {
  role: Role;
  content: string;
}

export type TaskKind =
  | 'edit'
  | 'copy'
  | 'arithmetic'
  | 'classify'
  | 'extract'
  | 'passage'
  | 'format'
  | 'sort'
  | 'knowledge'
  | 'dialogue'
  | 'reasoning'
  | 'persona'
  | 'refusal'
  | 'system';

/** Held-out families are never trained on; they measure what carries over to new instructions. */
export type FamilySplit = 'train' | 'heldout';

/** One prompt with a checkable answer. Everything but `check` is plain data and survives JSON. */
export interface TaskExample {
  family: string;
  /** The conversation up to the user turn to be answered. */
  messages: ChatMessage[];
  /** The reference answer, what training shows. */
  answer: string;
  scoring: Scoring;
  /** Whether an output counts as right. */
  check(output: string): boolean;
}

export interface TaskFamily {
  name: string;
  kind: TaskKind;
  split: FamilySplit;
  /** Share in the training mixture, relative to 1; harder families get more. */
  weight: number;
  templates: readonly string[];
  generate(random: Random): TaskExample;
}

/** What a family decides for one example; the template is chosen by {@link defineFamily}. */
export interface Draw {
  answer: string;
  /** Fill the `{name}` places of the template. */
  slots?: Slots;
  /** Other right answers. */
  alternatives?: readonly string[];
  /** A system message in front. */
  system?: string;
  /** Earlier turns, between system message and question. */
  before?: readonly ChatMessage[];
  /** Templates of this draw only, where they depend on what was drawn. */
  templates?: readonly string[];
}

export interface FamilyDefinition {
  name: string;
  kind: TaskKind;
  split?: FamilySplit;
  weight?: number;
  scoring?: ScoringMethod;
  templates: readonly string[];
  draw(random: Random): Draw;
}

/** A family from its templates and its draw (Wei et al. 2021, arXiv:2109.01652: several phrasings per task). */
export function defineFamily(definition: FamilyDefinition): TaskFamily {
  const { name, kind, split = 'train', weight = 1, templates } = definition;
  const generate = (random: Random): TaskExample => {
    const draw = definition.draw(random);
    const question = fillTemplate(random.pick(draw.templates ?? templates), draw.slots ?? {});
    const scoring = { method: definition.scoring ?? 'text', accepted: [draw.answer, ...(draw.alternatives ?? [])] };
    return {
      family: name,
      messages: [...systemTurn(draw.system), ...(draw.before ?? []), { role: 'user', content: question }],
      answer: draw.answer,
      scoring,
      check: (output) => matches(output, scoring),
    };
  };
  return { name, kind, split, weight, templates, generate };
}

/** The whole conversation, answer included, as training wants it. */
export function toConversation(example: TaskExample): ChatMessage[] {
  return [...example.messages, { role: 'assistant', content: example.answer }];
}

function systemTurn(content: string | undefined): ChatMessage[] {
  return content === undefined ? [] : [{ role: 'system', content }];
}
