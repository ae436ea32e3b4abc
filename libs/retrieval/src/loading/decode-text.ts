import { InvalidRequestError } from '@attune/platform';

/**
 * Text of a file whose encoding nobody states: a byte order mark decides, then valid UTF-8, then the zero bytes of
 * UTF-16, and else it is the Western encoding that every byte string fits.
 * @param stated an encoding the content names itself (HTML's charset)
 * @throws InvalidRequestError when the bytes are no text
 */
export function decodeText(filename: string, bytes: Uint8Array, stated?: string): string {
  const encoding = new TextDecoder(encodingOf(bytes, stated)).encoding;
  const text = encoding === 'windows-1252' ? decodeWestern(bytes) : new TextDecoder(encoding).decode(bytes);
  if (text.includes('\0')) throw new InvalidRequestError(`${filename} is no text; upload txt, md, html or pdf`);
  return text;
}

/** Windows-1252's characters for the bytes 0x80 to 0x9f; five of them are not assigned. */
const WESTERN = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

/** Node 20 decodes Windows-1252 as if it were Latin-1, which has control characters in that place. */
function decodeWestern(bytes: Uint8Array): string {
  const latin = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return latin.replace(/[\u0080-\u009f]/g, (character) => WESTERN[character.charCodeAt(0) - 0x80]);
}

function encodingOf(bytes: Uint8Array, stated: string | undefined): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  if (isUtf8(bytes)) return looksLikeUtf16(bytes) ?? 'utf-8';
  return looksLikeUtf16(bytes) ?? (stated && isEncoding(stated) ? stated : 'windows-1252');
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** In UTF-16 most Western text has a zero in every second byte. */
function looksLikeUtf16(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const sample = bytes.subarray(0, 1000);
  const zeros = [0, 0];
  sample.forEach((byte, index) => {
    if (byte === 0) zeros[index % 2]++;
  });
  const enough = sample.length / 5;
  if (zeros[1] > enough && zeros[0] < zeros[1] / 10) return 'utf-16le';
  if (zeros[0] > enough && zeros[1] < zeros[0] / 10) return 'utf-16be';
  return undefined;
}

function isEncoding(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== '';
  } catch {
    return false;
  }
}
