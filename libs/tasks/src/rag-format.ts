/** First line of the system message that carries retrieved passages; the gateway prints the same. */
export const passagesHeading = 'Answer from the passages.';

/** The answer when the passages (or the model's memory) do not hold it. */
export const unknownAnswer = 'I do not know.';

/** The system message for retrieved passages: heading, then one numbered line a passage. */
export function passagesPrompt(passages: readonly string[]): string {
  return [passagesHeading, ...passages.map((passage, i) => `[${i + 1}] ${passage}`)].join('\n');
}
