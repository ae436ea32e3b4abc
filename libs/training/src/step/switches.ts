/** Ways to train in less memory; neither changes a result by more than rounding. */
export interface TrainingSwitches {
  /** Keep only each layer's input and compute the layer again in the backward pass: about a quarter more time. */
  readonly activationCheckpointing?: boolean;
  /** Cut the tokens into so many parts at the output head, each computed again in the backward pass; 1 or none: off. */
  readonly headChunks?: number;
}
