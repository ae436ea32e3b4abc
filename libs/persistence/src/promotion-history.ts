/** What the history says of one promotion; null = the base weights. */
export interface PastPromotion {
  checkpointId: string | null;
}
export type RollbackTarget = { available: true; checkpointId: string | null } | { available: false };

/**
 * What "one step back" means after any history of promotions (oldest first). The history is replayed as a stack over
 * the base weights: promoting something that lies in the stack goes back to it, anything else is put on top. So two
 * rollbacks in a row go two steps back, and never forth again to weights somebody has just left.
 */
export function rollbackTarget(history: readonly PastPromotion[]): RollbackTarget {
  const stack: (string | null)[] = [null];
  for (const { checkpointId } of history) {
    const place = stack.indexOf(checkpointId);
    if (place >= 0) stack.length = place + 1;
    else stack.push(checkpointId);
  }
  return stack.length > 1 ? { available: true, checkpointId: stack[stack.length - 2] } : { available: false };
}
