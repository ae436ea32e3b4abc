/** GPT-2's alphabet: a printable character for each byte, so that any bytes can stand in a JSON vocabulary. */
const alphabet = Array.from({ length: 256 }, () => '');

let numShifted = 0;
for (let byte = 0; byte < 256; byte++) {
  const isPrintable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
  alphabet[byte] = String.fromCharCode(isPrintable ? byte : 256 + numShifted++);
}

export function toByteLevel(text: string): string {
  return Array.from(Buffer.from(text, 'utf8'), (byte) => alphabet[byte]).join('');
}
