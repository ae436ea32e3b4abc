import type { Clock } from '@attune/platform';

export interface FreshLookupOptions<Value> {
  /** Asks the source. */
  look(name: string): Promise<Value>;
  /** The longest that what it said is taken for true. */
  freshMs: number;
  clock: Clock;
  /** Values that are not kept; left out: all are. */
  isKept?(value: Value): boolean;
  /** Names kept at most; the one looked up longest ago goes first. */
  mostKept?: number;
}

/**
 * What a slow source says about a name, kept for a while. Those who ask at once share one look; and in the second half of
 * the while the source is asked again behind whoever asks, so that nobody waits for a name that is asked for often.
 */
export class FreshLookup<Value> {
  private readonly kept = new Map<string, { value: Value; at: number }>();
  private readonly looking = new Map<string, Promise<Value>>();

  constructor(private readonly options: FreshLookupOptions<Value>) {}

  async get(name: string): Promise<Value> {
    const { clock, freshMs } = this.options;
    const known = this.kept.get(name);
    const ageMs = known ? clock.monotonicMs() - known.at : Infinity;
    if (!known || ageMs >= freshMs) return this.look(name);
    // Should the source be away, whoever comes when the value has grown old hears of it.
    if (ageMs >= freshMs / 2) this.look(name).catch(() => undefined);
    return known.value;
  }

  /** What is being looked up at the moment is not kept either: it may be from before the change. */
  forgetAll(): void {
    this.kept.clear();
    this.looking.clear();
  }

  private look(name: string): Promise<Value> {
    const underWay = this.looking.get(name);
    if (underWay) return underWay;
    const at = this.options.clock.monotonicMs();
    const look = this.options.look(name).then(
      (value) => {
        if (this.end(name, look)) this.keep(name, value, at);
        return value;
      },
      (error: unknown) => {
        this.end(name, look);
        throw error;
      },
    );
    this.looking.set(name, look);
    return look;
  }

  /** Whether the look still counts. */
  private end(name: string, look: Promise<Value>): boolean {
    if (this.looking.get(name) !== look) return false;
    return this.looking.delete(name);
  }

  private keep(name: string, value: Value, at: number): void {
    const { isKept, mostKept = Infinity } = this.options;
    this.kept.delete(name);
    if (isKept?.(value) === false) return;
    if (this.kept.size >= mostKept) this.kept.delete(this.kept.keys().next().value!);
    this.kept.set(name, { value, at });
  }
}
