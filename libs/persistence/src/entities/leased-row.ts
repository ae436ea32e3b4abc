import { Column } from 'typeorm';
import { integer, optionalText, optionalTime } from './columns.js';

/** What every row has that gateways claim and work off; kept by `LeasedQueue` alone. */
export abstract class LeasedRow {
  /** Until when a gateway's claim holds, or a failed attempt is not repeated. */
  @Column(optionalTime) leasedUntil!: Date | null;
  /** Who may write; a new one with every claim. */
  @Column(optionalText) leaseOwner!: string | null;
  /** Claims since the work last got on. */
  @Column({ ...integer, default: 0 }) attempts!: number;
  /** Pieces that were done when it was last claimed. */
  @Column({ ...integer, default: 0 }) progress!: number;
  /** When somebody who worked on it let others go first. */
  @Column(optionalTime) givenBackAt!: Date | null;
  /** Why the last attempt ended. */
  @Column(optionalText) attemptError!: string | null;
}
