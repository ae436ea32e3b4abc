/** A user is about for this long after a request. */
const ABOUT_MS = 60_000;

/** Who sent requests lately. */
export class RecentUsers {
  private readonly seenAt = new Map<string, number>();

  constructor(private readonly now: () => number) {}

  see(user: string): void {
    this.seenAt.delete(user); // the oldest come first
    this.seenAt.set(user, this.now());
    this.forget();
  }

  /** Whether anyone but these users is about. */
  others(users: ReadonlySet<string>): boolean {
    this.forget();
    for (const user of this.seenAt.keys()) if (!users.has(user)) return true;
    return false;
  }

  private forget() {
    for (const [user, at] of this.seenAt) {
      if (this.now() - at <= ABOUT_MS) return;
      this.seenAt.delete(user);
    }
  }
}
