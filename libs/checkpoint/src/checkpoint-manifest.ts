import type { AdapterWeights } from './adapter.js';
import type { Tensor } from './model-folder.js';

/** Where a checkpoint came from: enough to walk from its weights back to the people who taught it. */
export interface CheckpointLineage {
  /** The checkpoint it was trained on from; null = the base model. */
  readonly parentId: string | null;
  readonly jobId: string | null;
  readonly baseModel: string;
  readonly baseDigest: string;
  /** Stages that ran, in order: sft, reward, ppo. */
  readonly objectives: readonly string[];
  readonly seed: number;
  /** Dataset rows it was trained on; each row names its feedback. */
  readonly datasetRowIds: readonly string[];
  /** The job's configuration as it was run. */
  readonly config: unknown;
  readonly metrics: Readonly<Record<string, number>>;
}

/** manifest.json of a checkpoint folder. */
export interface CheckpointManifest extends CheckpointLineage {
  readonly format: 1;
  readonly id: string;
  /** ISO 8601. */
  readonly created: string;
  readonly adapterDigest: string | null;
  /** Of base and adapter together: the `system_fingerprint` of its answers. */
  readonly weightsDigest: string;
  /** Every other file of the folder. */
  readonly files: Readonly<Record<string, { readonly sha256: string; readonly bytes: number }>>;
}

/** What a trainer hands over to be published. */
export interface CheckpointContent {
  /** null = the base model unchanged. */
  readonly adapter: AdapterWeights | null;
  /** The reward model's own adapter, kept so that its scores can be repeated. */
  readonly rewardAdapter?: AdapterWeights;
  /** e.g. `reward_head.weight`, `value_head.weight`. */
  readonly heads?: Readonly<Record<string, Tensor>>;
  readonly manifest: CheckpointLineage;
}
