import type { AppError } from '@attune/platform';
import { Injectable } from '@nestjs/common';
import { EventTail } from './event-tail.js';

/** Another gateway took this one for gone, and has ended the response. */
export const ENDED_ELSEWHERE = 'ended elsewhere';

/** Why an answer is given up before its end. */
export type GivenUp = 'cancelled' | 'left' | typeof ENDED_ELSEWHERE;

/** A stored response this gateway is answering; it goes on without its readers. */
export class RunningResponse {
  readonly tail = new EventTail();
  readonly stopping = new AbortController();
  /** What made it fail, for whoever waits for its end. */
  failure: AppError | undefined;
  /** Resolves when it has ended and is filed. */
  done: Promise<void> = Promise.resolve();
  private readers = 0;
  private onLeft: () => void = () => undefined;

  constructor(
    readonly id: string,
    readonly userId: string,
  ) {}

  stop(why: GivenUp): void {
    this.stopping.abort(why);
  }

  /** Counts a reader in; call the result when it leaves. */
  join(): () => void {
    this.readers += 1;
    let here = true;
    return () => {
      if (here) this.readers -= 1;
      here = false;
      if (this.readers === 0) this.onLeft();
    };
  }

  get isRead(): boolean {
    return this.readers > 0;
  }

  /** Tells when the last reader has left. */
  whenLeft(listener: () => void): void {
    this.onLeft = listener;
  }
}

/** The stored responses of this gateway that have not ended, by id. */
@Injectable()
export class RunningResponses {
  /** Those that have ended and could not be written yet. */
  readonly unfiled = new Set<string>();
  private readonly byId = new Map<string, RunningResponse>();

  add(response: RunningResponse): void {
    this.byId.set(response.id, response);
  }

  remove(id: string): void {
    this.byId.delete(id);
  }

  get(id: string): RunningResponse | undefined {
    return this.byId.get(id);
  }

  get ids(): string[] {
    return [...this.byId.keys()];
  }

  /** Resolves when none is left. */
  async idle(): Promise<void> {
    while (this.byId.size > 0) await Promise.all([...this.byId.values()].map((one) => one.done));
  }
}
