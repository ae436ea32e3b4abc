const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** `conv_` and 24 random base-36 characters, the form the gateway gives its own ids. */
export function newConversationId(): string {
  return `conv_${randomText(24)}`;
}

/** Names something on this page only. */
export function newLocalKey(): string {
  return `local-${randomText(12)}`;
}

function randomText(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      // 252 = 7 · 36: larger bytes would favour the first characters.
      if (byte < 252 && text.length < length) text += ALPHABET[byte % 36];
    }
  }
  return text;
}
