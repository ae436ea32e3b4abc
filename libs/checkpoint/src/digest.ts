import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** sha256 of a file's bytes, in hex; streamed. */
export async function fileDigest(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** sha256 over a list of parts, each closed by a newline. */
export function textDigest(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part}\n`);
  return hash.digest('hex');
}

/**
 * Names the exact weights behind an answer, base and adapter together; this is `system_fingerprint`.
 * @param adapterDigest null = the base model alone
 */
export function weightsDigest(baseDigest: string, adapterDigest: string | null): string {
  return `fp_${textDigest([baseDigest, adapterDigest ?? 'no adapter']).slice(0, 16)}`;
}
