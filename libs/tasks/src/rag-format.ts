export { GROUNDING_INSTRUCTION as passagesHeading, groundedSystemMessage as passagesPrompt } from '@attune/contracts';

/** The answer when the passages (or the model's memory) do not hold it. */
export const unknownAnswer = 'I do not know.';
