/**
 * How a text falls into words before merging: contractions, single digits (so that numbers are spelled the same
 * everywhere), words and signs with the space before them, and runs of white space.
 */
export const wordPattern = "'(?:s|t|re|ve|m|ll|d)|\\p{N}| ?\\p{L}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** A space in front of every text makes its first word the same token as inside a sentence; the decoder strips it. */
export const textPrefix = ' ';

/** A character that the byte alphabet does not contain, to join two symbols into one key. */
export const mergeKey = ' ';

/**
 * GPT-2's printable stand-ins for the 256 bytes: visible Latin-1 characters stand for themselves, the others for
 * U+0100 onwards, in byte order.
 */
export const byteAlphabet: readonly string[] = buildAlphabet();

/** UTF-8 bytes of `text`, each as its character of {@link byteAlphabet}. */
export function byteLevel(text: string): string {
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) out += byteAlphabet[byte];
  return out;
}

/** The words of one text as the tokenizer will see them. */
export function splitWords(text: string): string[] {
  return text === '' ? [] : ((textPrefix + text).match(new RegExp(wordPattern, 'gu')) ?? []);
}

function buildAlphabet(): string[] {
  const visible = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(visible(byte) ? byte : next++));
}
