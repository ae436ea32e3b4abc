import type { GateMeasures } from '../evaluation/gate.js';
import type { Published } from './publish-checkpoint.js';

/** The figures a checkpoint's manifest keeps; what was not measured is left out. */
export function checkpointMetrics(measures: GateMeasures, rewardAccuracy: number | null): Record<string, number> {
  const metrics: Record<string, number | null | undefined> = {
    heldout_loss: measures.heldoutLoss?.candidate,
    heldout_loss_live: measures.heldoutLoss?.live,
    win_rate: measures.winRate?.value,
    suite: measures.suite.candidate,
    suite_live: measures.suite.live,
    kl: measures.kl,
    reward_accuracy: rewardAccuracy,
  };
  return Object.fromEntries(
    Object.entries(metrics).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  );
}

/** How a job came out, in a sentence; `asWanted` when nobody has to look into it. */
export function describePublished(published: Published): { sentence: string; asWanted: boolean } {
  const { outcome, id } = published;
  switch (outcome) {
    case 'promoted':
      return { sentence: `Checkpoint ${id} passed the gate and is live`, asWanted: true };
    case 'candidate': {
      const why = published.reason ? `: ${published.reason}` : '';
      const sentence = `Checkpoint ${id} passed the gate and waits to be promoted${why}`;
      return { sentence, asWanted: !published.reason };
    }
    case 'rejected':
      return { sentence: `Checkpoint ${id} was stopped by the gate: ${published.reasons.join('; ')}`, asWanted: false };
  }
}
