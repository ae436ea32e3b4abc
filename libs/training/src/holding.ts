/** What holds sessions or memory until it is released. */
export interface Releasable {
  release(): void | Promise<void>;
}

/**
 * Works with what is held, then releases all of it, in order.
 * @throws the first failure: one of a release hides neither the work's, nor keeps others from being released
 */
export async function holding<T>(held: readonly Releasable[], work: () => Promise<T>): Promise<T> {
  const failures: unknown[] = [];
  const note = (error: unknown) => void failures.push(error);
  const result = await Promise.resolve().then(work).catch(note);
  for (const one of held)
    await Promise.resolve(one)
      .then((it) => it.release())
      .catch(note);
  if (failures.length > 0) throw failures[0];
  return result as T;
}

/** Releases everything, in order, whichever of them fails. @throws the first failure */
export const releaseAll = (held: readonly Releasable[]): Promise<void> => holding(held, async () => undefined);

/** Makes something of parts that are held; where that fails halfway, the parts that were made are released. */
export async function makeOfParts<T>(
  make: (keep: <Part extends Releasable>(part: Part) => Part) => Promise<T>,
): Promise<T> {
  const parts: Releasable[] = [];
  const keep = <Part extends Releasable>(part: Part): Part => {
    parts.unshift(part);
    return part;
  };
  try {
    return await make(keep);
  } catch (error) {
    return holding(parts, () => Promise.reject(error as Error));
  }
}
