/** What is known of a request that waits for a slot. */
export interface WaitingView {
  readonly id: string;
  readonly user: string;
  /** Higher goes first. */
  readonly priority: number;
}

export interface AdmissionState {
  readonly freeSlots: number;
  readonly slots: number;
  /** Of every sequence that has a slot. */
  readonly runningUsers: readonly string[];
  /** Whether others than these users sent requests lately. */
  readonly othersAbout: (users: ReadonlySet<string>) => boolean;
  /** Service each user had so far. */
  readonly served: (user: string) => number;
}

/** With fewer slots than this one in reserve would cost too much of the whole. */
const FEWEST_SLOTS_TO_RESERVE = 4;

/**
 * The requests that may take a slot now, best first: by priority, then by the service their user had, then by arrival.
 * The last free slot is kept for users who have none while such users are about: however many requests one sends, the
 * next of another starts at once, and does not wait until a long answer is over.
 * @param waiting in order of arrival
 */
export function admissionOrder<T extends WaitingView>(waiting: readonly T[], state: AdmissionState): T[] {
  if (state.freeSlots === 0) return [];
  const running = new Set(state.runningUsers);
  const isReserved = state.freeSlots === 1 && state.slots >= FEWEST_SLOTS_TO_RESERVE && state.othersAbout(running);
  const allowed = isReserved ? waiting.filter(({ user }) => !running.has(user)) : waiting;
  return allowed.toSorted((a, b) => b.priority - a.priority || state.served(a.user) - state.served(b.user));
}
