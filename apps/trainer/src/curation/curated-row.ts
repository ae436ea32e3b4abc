import type { ChatMessage, DatasetRowKind, DatasetRowOrigin, FeedbackType } from '@attune/contracts';

/** An approved piece of feedback with what it is about: where curation starts. */
export interface ReviewedFeedback {
  readonly feedbackId: string;
  readonly type: FeedbackType;
  readonly value: 'up' | 'down' | null;
  /** The user's correction. */
  readonly text: string | null;
  /** The reviewer's own wording, which wins over everything the user wrote. */
  readonly editedText: string | null;
  readonly userId: string;
  readonly conversationId: string;
  /** What the completion answered, system message included. */
  readonly prompt: readonly ChatMessage[];
  /** The answer the feedback is about; for a choice, the chosen one. */
  readonly answer: string;
  /** The answer was cut or broke off; it is no example of how to answer. Left out: it ended by itself. */
  readonly answerCut?: boolean;
  /** The answer not chosen; only with a choice. */
  readonly rejectedAnswer: string | null;
}

/** One row of training data, with where it comes from. */
export interface CuratedRow {
  readonly kind: DatasetRowKind;
  readonly origin: DatasetRowOrigin;
  /** Null unless `origin` is feedback. */
  readonly feedbackId: string | null;
  readonly userId: string;
  readonly conversationId: string;
  readonly prompt: readonly ChatMessage[];
  /** Empty for a graded row, whose answers are sampled. */
  readonly chosen: string;
  /** Null unless it is a preference. */
  readonly rejected: string | null;
  /** Of a thumb: whether `chosen` was liked; null for other kinds. */
  readonly label: boolean | null;
  /** Of a graded row: what its grader may speak of as `{{item.<field>}}`; left out by other kinds. */
  readonly item?: Readonly<Record<string, unknown>>;
}

/** A row whose side of the split may be decided already, by whoever brought it. */
export interface SuppliedRow extends CuratedRow {
  readonly side?: 'train' | 'heldout';
}

export interface SplitRow extends CuratedRow {
  readonly split: 'train' | 'heldout';
}

/** What a filter does to rows. Filters are pure, keep the order, and say why they drop something. */
export interface Filtered<Row extends CuratedRow = CuratedRow> {
  readonly kept: readonly Row[];
  readonly dropped: readonly { readonly row: Row; readonly reason: string }[];
}

/** Builds a filter's answer out of a judgement per row: null keeps it, a sentence drops it. */
export function filterRows<Row extends CuratedRow>(
  rows: readonly Row[],
  judge: (row: Row) => string | null,
): Filtered<Row> {
  const judged = rows.map((row) => ({ row, reason: judge(row) }));
  return {
    kept: judged.filter(({ reason }) => reason === null).map(({ row }) => row),
    dropped: judged.flatMap(({ row, reason }) => (reason === null ? [] : [{ row, reason }])),
  };
}

/** Text as filters compare it: case, spacing and closing punctuation do not matter. */
export function normalized(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[.!?]+$/, '');
}
