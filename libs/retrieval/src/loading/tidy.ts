// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000e-\u001f\u007f\u200b\ufeff\ufffe\uffff]/g;

/** One form of line ends and letters; no control characters (PostgreSQL refuses zero bytes), no runs of empty lines. */
export function tidy(text: string): string {
  return text
    .normalize('NFC')
    .replace(/\r\n?|\f|\u2028|\u2029/g, '\n')
    .replace(CONTROL, '')
    .replace(/[ \t\u00a0]+\n/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** Joins lines that a fixed width broke: a hyphenated word, a sentence that goes on with a small letter. */
export function unwrapLines(text: string): string {
  return text.replace(/(\p{L})-\n(\p{Ll})/gu, '$1$2').replace(/([^\n.!?:;])\n(?=[\p{Ll}(])/gu, '$1 ');
}
