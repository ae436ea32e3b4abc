import type { CheckpointStatus } from './checkpoints.js';
import type { DatasetRowKind } from './tuning/views.js';

/** A dataset row with the people behind it. */
export interface LineageRow {
  id: string;
  kind: DatasetRowKind;
  split: 'train' | 'heldout';
  feedback_id: string;
  completion_id: string;
  /** Who gave the feedback. */
  user_id: string;
  /** Who approved it. */
  reviewer_id: string | null;
}
export interface LineageCheckpoint {
  checkpoint_id: string;
  weights_digest: string;
  status: CheckpointStatus;
  job_id: string | null;
  rows: LineageRow[];
}
/**
 * GET /v1/lineage/{id} (reviewer). For a completion or a checkpoint: the checkpoint behind it and its ancestors, each
 * with the rows its job was trained on (none: the base weights). For feedback: every checkpoint trained on it.
 */
export interface Lineage {
  object: 'lineage';
  id: string;
  weights_digest: string | null;
  checkpoints: LineageCheckpoint[];
}
