import type { ChatMessage } from '@attune/contracts';
import type { SplitRow } from './curated-row.js';

/** What training reads of a row. */
export type DatasetRow = Pick<
  SplitRow,
  'kind' | 'split' | 'prompt' | 'chosen' | 'rejected' | 'label' | 'feedbackId'
> & {
  readonly item?: SplitRow['item'] | null;
};

export interface Demonstration {
  readonly prompt: readonly ChatMessage[];
  readonly answer: string;
}

export interface Preference {
  readonly prompt: readonly ChatMessage[];
  readonly chosen: string;
  readonly rejected: string;
}

/** One answer with a person's verdict on it. */
export interface Thumb {
  readonly prompt: readonly ChatMessage[];
  readonly answer: string;
  readonly liked: boolean;
}

/** A prompt whose answers a grader pays, and the fields it reads beside them. */
export interface GradedRow {
  readonly messages: readonly ChatMessage[];
  readonly item: Readonly<Record<string, unknown>>;
}

/** One side of the split, sorted by what it is for. */
export interface DatasetSide {
  readonly demonstrations: readonly Demonstration[];
  readonly preferences: readonly Preference[];
  readonly thumbs: readonly Thumb[];
  readonly graded: readonly GradedRow[];
  /** Every different prompt of the other kinds, for rollouts and for comparing answers. */
  readonly prompts: readonly (readonly ChatMessage[])[];
}

export interface Dataset {
  readonly train: DatasetSide;
  readonly heldout: DatasetSide;
}

/** The stored rows of a job as its recipes read them. */
export function toDataset(rows: readonly DatasetRow[]): Dataset {
  const side = (split: 'train' | 'heldout') => toSide(rows.filter((row) => row.split === split));
  return { train: side('train'), heldout: side('heldout') };
}

function toSide(rows: readonly DatasetRow[]): DatasetSide {
  return {
    demonstrations: rows.flatMap(({ kind, prompt, chosen }) =>
      kind === 'demonstration' ? [{ prompt, answer: chosen }] : [],
    ),
    preferences: rows.flatMap(({ kind, prompt, chosen, rejected }) =>
      kind === 'preference' && rejected !== null ? [{ prompt, chosen, rejected }] : [],
    ),
    thumbs: rows.flatMap(({ kind, prompt, chosen, label }) =>
      kind === 'thumb' && label !== null ? [{ prompt, answer: chosen, liked: label }] : [],
    ),
    graded: rows.flatMap(({ kind, prompt, item }) => (kind === 'graded' && item ? [{ messages: prompt, item }] : [])),
    prompts: [
      ...new Map(
        rows.flatMap(({ kind, prompt }) => (kind === 'graded' ? [] : [[JSON.stringify(prompt), prompt]])),
      ).values(),
    ],
  };
}
