import type { WeightFormat } from '@attune/models';

/** More would rarely be accepted, and the runner keeps steps of up to this many tokens bound. */
export const LONGEST_DRAFT = 12;

/**
 * What a run of several tokens costs, in runs of one: `start` as soon as there is a second token and `each` for every
 * further one. Measured on two shapes; int4 starts higher because more than three rows run as dq8r.
 */
const costs: Readonly<Record<WeightFormat, { readonly start: number; readonly each: number }>> = {
  fp32: { start: 1.1, each: 0.06 },
  int8: { start: 1.03, each: 0.04 },
  int4: { start: 1.45, each: 0.06 },
};

/** How the drafts of one sequence have fared; old experience fades. */
export interface DraftRecord {
  readonly accepted: number;
  readonly refused: number;
}

export const NO_DRAFTS: DraftRecord = { accepted: 0, refused: 0 };
const FADING = 0.9;
/** A step without a draft makes the record a little less certain, so that refused drafts are tried again in the end. */
const FORGETTING = 0.98;
/** What is believed of drafts before there is any experience with them. */
const PRIOR = { accepted: 0.6, refused: 0.4 };

/**
 * How many tokens to draft: as many as promise the most tokens for their cost, or 0 when none pay. With every token
 * accepted at rate p, a draft of n gives 1 + p + … + pⁿ tokens (Leviathan et al. 2023, equation 1).
 */
export function draftLength({ accepted, refused }: DraftRecord, format: WeightFormat): number {
  const rate = (accepted + PRIOR.accepted) / (accepted + refused + PRIOR.accepted + PRIOR.refused);
  const { start, each } = costs[format];
  let best = { length: 0, gain: 1 };
  let [tokens, chance] = [1, 1];
  for (let length = 1; length <= LONGEST_DRAFT; length++) {
    chance *= rate;
    tokens += chance;
    const gain = tokens / (start + each * length);
    if (gain > best.gain) best = { length, gain };
  }
  return best.length;
}

/** The record after a draft of which `accepted` tokens held; `refused` says whether the next one did not. */
export const afterDraft = (record: DraftRecord, accepted: number, refused: boolean): DraftRecord => ({
  accepted: FADING * record.accepted + accepted,
  refused: FADING * record.refused + (refused ? 1 : 0),
});

/** The record after a step for which no draft was worth its cost. */
export const afterNoDraft = ({ accepted, refused }: DraftRecord): DraftRecord => ({
  accepted: FORGETTING * accepted,
  refused: FORGETTING * refused,
});
