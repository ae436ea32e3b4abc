import type { WeightsId } from '../types.js';
import type { EngineChild } from './child.js';
import type { LastingChild } from './lasting-child.js';

/** The adapters of a process: where they lie, which is live, and which leave once nobody needs them. */
export class HeldAdapters {
  private readonly folders = new Map<string, string>();
  /** Adapters to unload once no request needs them. */
  private readonly leaving = new Set<string>();
  private live: string | null = null;
  private numLoading = 0;

  /** @param isNeeded whether a request under way runs, or may be sent again, on that adapter */
  constructor(
    private readonly child: LastingChild,
    private readonly isNeeded: (digest: string) => boolean,
  ) {}

  async load(folder: string): Promise<WeightsId> {
    this.numLoading += 1;
    try {
      const id = (await this.child.call({ type: 'loadAdapter', folder })) as WeightsId;
      this.folders.set(id.adapter!, folder);
      this.leaving.delete(id.adapter!);
      return id;
    } finally {
      this.numLoading -= 1;
      this.unloadUnneeded();
    }
  }

  async setLive(digest: string | null): Promise<void> {
    await this.child.call({ type: 'setLive', digest });
    this.live = digest;
  }

  /** At once, or when the last request that needs it is over. */
  async unload(digest: string): Promise<void> {
    if (digest !== this.live && this.folders.has(digest) && this.isNeeded(digest)) return void this.leaving.add(digest);
    await this.child.call({ type: 'unloadAdapter', digest });
    this.folders.delete(digest);
    this.leaving.delete(digest);
  }

  /** Whether an adapter is there, and not about to leave. */
  has(digest: string): boolean {
    return this.folders.has(digest) && !this.leaving.has(digest);
  }

  /** Loads into a new process what the one before had. @throws AppError when the live one cannot be */
  async restore(child: EngineChild): Promise<void> {
    for (const [digest, folder] of this.folders) {
      // Only the live one is worth staying away for; if the process ended, the call after these says so.
      const loading = child.call({ type: 'loadAdapter', folder });
      await (digest === this.live ? loading : loading.catch(() => child.alive && this.folders.delete(digest)));
    }
    await child.call({ type: 'setLive', digest: this.live });
  }

  /** Not while an adapter is being loaded: it may be one of these, wanted again. */
  unloadUnneeded(): void {
    if (this.numLoading > 0) return;
    for (const digest of this.leaving) {
      if (this.isNeeded(digest)) continue;
      this.leaving.delete(digest);
      // A process that has just ended does not know it any more, and its successor must not learn it.
      this.folders.delete(digest);
      this.child.callNow({ type: 'unloadAdapter', digest }).catch(() => {});
    }
  }
}
