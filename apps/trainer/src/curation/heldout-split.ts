import { deriveSeed } from '@attune/platform';
import type { CuratedRow, SplitRow } from './curated-row.js';

/**
 * Keeps a share of the conversations for measuring. The side a conversation falls on hangs on its id alone, not on the
 * job: what one job held out, no later job has trained on before it measures again. When no conversation falls on the
 * held-out side, the nearest one is taken, so that there is always something to measure (unless there is only one).
 */
export function splitHeldout(rows: readonly CuratedRow[], heldoutShare: number): SplitRow[] {
  const heldout = heldoutConversations(new Set(rows.map(({ conversationId }) => conversationId)), heldoutShare);
  return rows.map((row) => ({ ...row, split: heldout.has(row.conversationId) ? 'heldout' : 'train' }));
}

function heldoutConversations(ids: ReadonlySet<string>, share: number): ReadonlySet<string> {
  const placed = [...ids].map((id) => ({ id, place: placeOf(id) })).sort((a, b) => a.place - b.place);
  const below = placed.filter(({ place }) => place < share);
  if (below.length > 0 || placed.length < 2) return new Set(below.map(({ id }) => id));
  return new Set([placed[0]!.id]);
}

/** Uniform in [0, 1). */
const placeOf = (conversationId: string): number => deriveSeed('heldout', conversationId) / 2 ** 32;
