import type { Config } from '@attune/platform';

const SECONDS_A_DAY = 86_400;

/** How long files of batches live where the request does not say; undefined: until they are deleted. */
export function batchFilesSeconds({ retention }: Config): number | undefined {
  return retention.retentionBatchFilesDays === 0 ? undefined : retention.retentionBatchFilesDays * SECONDS_A_DAY;
}
