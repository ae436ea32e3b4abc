import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { RemoteFile } from './wanted-files.js';

/** Whether the file on disk is, byte for byte, the one the hub lists. False when it is not there. */
export async function matches(file: string, { size, checksum }: RemoteFile): Promise<boolean> {
  const info = await stat(file).catch(() => undefined);
  if (!info?.isFile() || info.size !== size) return false;
  const hash = createHash(checksum.kind === 'sha256' ? 'sha256' : 'sha1');
  if (checksum.kind === 'git-sha1') hash.update(`blob ${size}\0`);
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex') === checksum.hex;
}
