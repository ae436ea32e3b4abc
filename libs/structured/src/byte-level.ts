/** GPT-2's alphabet: a printable character for each byte, so that any bytes can stand in a JSON vocabulary. */
const alphabet = Array.from({ length: 256 }, () => '');
const bytes = new Map<string, number>();

let numShifted = 0;
for (let byte = 0; byte < 256; byte++) {
  const isPrintable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
  alphabet[byte] = String.fromCharCode(isPrintable ? byte : 256 + numShifted++);
  bytes.set(alphabet[byte], byte);
}

export function toByteLevel(text: string): string {
  return Array.from(Buffer.from(text, 'utf8'), (byte) => alphabet[byte]).join('');
}

/** The bytes behind a piece of a byte-level vocabulary. */
export function fromByteLevel(piece: string): Uint8Array {
  return Uint8Array.from(piece, (character) => bytes.get(character) ?? 0x3f);
}
