import { deriveSeed } from '@attune/platform';
import { type CuratedRow, normalized, type SplitRow, type SuppliedRow } from './curated-row.js';

/**
 * Keeps a share of what people talked about for measuring. Rows of one conversation stay together, and so do rows that
 * ask the same, whoever asked: a question learnt from one user says nothing when it is measured on another. The side
 * of such a group hangs on the id of its oldest conversation (rows come oldest first), not on the job, so that it stays
 * where it is while more feedback arrives. When no group falls on the held-out side, the nearest one is taken, so that
 * there is always something to measure (unless there is only one). A row that brings its side keeps it.
 */
export function splitHeldout(rows: readonly SuppliedRow[], heldoutShare: number): SplitRow[] {
  const groups = groupRows(rows);
  const heldout = heldoutGroups(new Set(groups), heldoutShare);
  return rows.map(({ side, ...row }, i) => ({
    ...row,
    split: side ?? (heldout.has(groups[i]!) ? 'heldout' : 'train'),
  }));
}

/** The group of each row, named by its oldest conversation: union-find over conversations and questions. */
function groupRows(rows: readonly CuratedRow[]): string[] {
  const age = new Map<string, number>();
  for (const { conversationId } of rows) if (!age.has(conversationId)) age.set(conversationId, age.size);
  const parents = new Map<string, string>();
  const find = (id: string): string => {
    let root = id;
    for (let parent = parents.get(root); parent !== undefined; parent = parents.get(root)) root = parent;
    if (root !== id) parents.set(id, root);
    return root;
  };
  const askedIn = new Map<string, string>();
  for (const { conversationId, prompt } of rows) {
    const question = questionOf(prompt);
    const [one, other] = [find(conversationId), find(askedIn.get(question) ?? conversationId)];
    const [older, younger] = age.get(one)! <= age.get(other)! ? [one, other] : [other, one];
    if (older !== younger) parents.set(younger, older);
    askedIn.set(question, older);
  }
  return rows.map(({ conversationId }) => find(conversationId));
}

/** All that was said, however it was spelt; under which system message does not matter. */
function questionOf(prompt: CuratedRow['prompt']): string {
  const said = prompt.filter(({ role }) => role !== 'system');
  return JSON.stringify(said.map(({ role, content }) => [role, normalized(content)]));
}

function heldoutGroups(ids: ReadonlySet<string>, share: number): ReadonlySet<string> {
  const placed = [...ids].map((id) => ({ id, place: placeOf(id) })).sort((a, b) => a.place - b.place);
  const below = placed.filter(({ place }) => place < share);
  if (below.length > 0 || placed.length < 2) return new Set(below.map(({ id }) => id));
  return new Set([placed[0]!.id]);
}

/** Uniform in [0, 1). */
const placeOf = (conversationId: string): number => deriveSeed('heldout', conversationId) / 2 ** 32;
