import { z } from 'zod';

/** One measure of the gate. */
export interface GateCheck {
  name: string;
  passed: boolean;
  candidate: number;
  live: number | null;
  /** The bound, in words: `≥ 0.50`. */
  bound: string;
  reason: string;
}
export interface GateReport {
  passed: boolean;
  checks: GateCheck[];
  /** Exact match of the task suite by family, candidate and live. */
  suite: { family: string; candidate: number; live: number }[];
  samples: { prompt: string; candidate: string; live: string }[];
}
export type CheckpointStatus = 'candidate' | 'rejected' | 'live' | 'retired';

/**
 * GET /api/checkpoints, newest first. The base model is the entry with `id` = `base`.
 * POST /api/checkpoints/{id}/promote and POST /api/checkpoints/rollback (to what was live before) take an optional
 * `{reason}` and answer the PromotionView they wrote.
 */
export interface CheckpointView {
  id: string;
  object: 'checkpoint';
  status: CheckpointStatus;
  /** Digest of base and adapter together = `system_fingerprint` of its answers. */
  weights_digest: string;
  parent_id: string | null;
  job_id: string | null;
  metrics: Record<string, number>;
  gate_report: GateReport | null;
  created: number;
  promoted: number | null;
}
/** GET /api/promotions: the history of what was live, newest first. */
export interface PromotionView {
  id: string;
  checkpoint_id: string;
  previous_checkpoint_id: string | null;
  actor: string;
  reason: string;
  created: number;
}
export const promotionRequest = z.object({ reason: z.string().max(500).optional() });
export type PromotionRequest = z.output<typeof promotionRequest>;
