import { Injectable } from '@nestjs/common';

/** Which checkpoint stands behind a `system_fingerprint`; the base weights stand for themselves. */
@Injectable()
export class LiveWeights {
  private readonly checkpoints = new Map<string, string>();

  remember(fingerprint: string, checkpointId: string): void {
    this.checkpoints.set(fingerprint, checkpointId);
  }

  /** Null for the base weights and for an answer that never started. */
  checkpointOf(fingerprint: string | null): string | null {
    return fingerprint === null ? null : (this.checkpoints.get(fingerprint) ?? null);
  }
}
