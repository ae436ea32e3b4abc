import type { AdapterKind, AdapterWeights } from './adapter-kinds.js';
import type { ModelToWrite, Tensor } from './model-folder.js';

/** What a checkpoint holds: an adapter of some kind, a whole model, or nothing but the base model's name. */
export type CheckpointKind = AdapterKind | 'full' | 'base';

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
  readonly kind: CheckpointKind;
  readonly adapterDigest: string | null;
  /** Digest of the model folder of a full fine-tune, else null. */
  readonly modelDigest: string | null;
  /** Of base (or full fine-tune) and adapter together: the `system_fingerprint` of its answers. */
  readonly weightsDigest: string;
  /** Every other file of the folder. */
  readonly files: Readonly<Record<string, { readonly sha256: string; readonly bytes: number }>>;
}

/** What a trainer hands over to be published. */
export interface CheckpointContent {
  /** null = the base model unchanged, or `model`. */
  readonly adapter: AdapterWeights | null;
  /** A full fine-tune, with the base model's tokenizer files beside it; in place of an adapter. */
  readonly model?: ModelToWrite;
  /** The reward model's own adapter, kept so that its scores can be repeated. */
  readonly rewardAdapter?: AdapterWeights;
  /** e.g. `reward_head.weight`, `value_head.weight`. */
  readonly heads?: Readonly<Record<string, Tensor>>;
  readonly manifest: CheckpointLineage;
}
