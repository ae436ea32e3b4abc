import type { CheckpointView, PromotionView } from '@attune/contracts';
import type { CheckpointWithPromotion, Promotion } from '@attune/persistence';
import { seconds, secondsOrNull } from '../core/seconds.js';

/** How the API writes "no checkpoint: the base weights". */
export const BASE = 'base';

export const checkpointView = (row: CheckpointWithPromotion): CheckpointView => ({
  id: row.id,
  object: 'checkpoint',
  status: row.status,
  weights_digest: row.weightsDigest,
  parent_id: row.parentId,
  job_id: row.jobId,
  metrics: row.metrics,
  gate_report: row.gateReport,
  created: seconds(row.createdAt),
  promoted: secondsOrNull(row.promotedAt),
});

/** The base weights as an entry of the list; they are live until something is promoted, and can be again. */
export const baseView = (base: {
  weightsDigest: string;
  created: number;
  live: boolean;
  promoted: Date | null;
}): CheckpointView => ({
  id: BASE,
  object: 'checkpoint',
  status: base.live ? 'live' : 'retired',
  weights_digest: base.weightsDigest,
  parent_id: null,
  job_id: null,
  metrics: {},
  gate_report: null,
  created: base.created,
  promoted: secondsOrNull(base.promoted),
});

export const promotionView = (row: Promotion): PromotionView => ({
  id: row.id,
  checkpoint_id: row.checkpointId ?? BASE,
  previous_checkpoint_id: row.previousCheckpointId ?? BASE,
  actor: row.actor,
  reason: row.reason,
  created: seconds(row.createdAt),
});
