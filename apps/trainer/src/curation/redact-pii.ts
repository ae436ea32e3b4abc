import type { CuratedRow } from './curated-row.js';

const email = /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu;
/** Groups of digits with at most one separator (or a bracket) between them. */
const digitGroups = /(?<![\p{L}\p{N}])\+?\(?\d{1,5}\)?(?:[ ./-]?\(?\d{1,5}\)?){1,6}(?![\p{L}\p{N}])/gu;
const isoDate = /^\d{4}-\d{2}-\d{2}/;
/** National numbers have nine digits or more nearly everywhere; shorter runs are sums, dates and prices. */
const MIN_PHONE_DIGITS = 9;
const MIN_INTERNATIONAL_DIGITS = 8;

/** The row with e-mail addresses and telephone numbers replaced in every text, so that no weights learn them. */
export function redactPii<Row extends CuratedRow>(row: Row): Row {
  return {
    ...row,
    prompt: row.prompt.map((message) => ({ ...message, content: redactText(message.content) })),
    chosen: redactText(row.chosen),
    rejected: row.rejected === null ? null : redactText(row.rejected),
    // What a grader compares answers with must read as the prompt does.
    ...(row.item ? { item: redactValue(row.item) as Row['item'] } : {}),
  };
}

/** `[email]` and `[phone]` in place of what names a person. */
export function redactText(text: string): string {
  return text.replace(email, '[email]').replace(digitGroups, (match) => (isPhone(match) ? '[phone]' : match));
}

function redactValue(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map(redactValue);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, redactValue(part)]));
}

function isPhone(text: string): boolean {
  if (isoDate.test(text)) return false;
  const numDigits = text.replace(/\D/g, '').length;
  return numDigits >= (text.startsWith('+') ? MIN_INTERNATIONAL_DIGITS : MIN_PHONE_DIGITS);
}
