import { hash, randomBytes } from 'node:crypto';

const SHOWN_CHARACTERS = 10;

/** A new secret: `sk-attune-` and 192 random bits. */
export function createSecret(): string {
  return `sk-attune-${randomBytes(24).toString('base64url')}`;
}

/**
 * SHA-256 in hexadecimal, by which a key is found. A slow password hash would buy nothing: secrets are random, so
 * there is no list of likely ones to try.
 */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex');
}

/** What the console shows of a key. */
export function prefixOf(secret: string): string {
  return secret.startsWith('sk-attune-') ? secret.slice(0, SHOWN_CHARACTERS + 4) : secret.slice(0, 4);
}
