import { createHash } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileDigest, textDigest } from './digest.js';

/**
 * sha256 over the named files (their names and contents), in hex.
 * @param cacheFolder where the result is remembered under the files' sizes and modification times; nothing is ever
 *   written into the folder itself, which may be read-only or under version control
 */
export async function folderDigest(dir: string, files: readonly string[], cacheFolder?: string): Promise<string> {
  if (!cacheFolder) return compute(dir, files);
  const stamp = await stampOf(dir, files);
  const sidecar = path.join(cacheFolder, `digest-${shortHash(path.resolve(dir))}.json`);
  const remembered = await readSidecar(sidecar);
  if (remembered?.stamp === stamp) return remembered.digest;
  const digest = await compute(dir, files);
  await mkdir(cacheFolder, { recursive: true });
  await writeFile(sidecar, JSON.stringify({ stamp, digest }));
  return digest;
}

async function compute(dir: string, files: readonly string[]): Promise<string> {
  const lines: string[] = [];
  for (const file of files) lines.push(`${await fileDigest(path.join(dir, file))}  ${file}`);
  return textDigest(lines);
}

/** Size, modification and change time to the nanosecond: a file replaced by one of equal size and date still differs. */
async function stampOf(dir: string, files: readonly string[]): Promise<string> {
  const lines: string[] = [];
  for (const file of files) {
    const { size, mtimeNs, ctimeNs, ino } = await stat(path.join(dir, file), { bigint: true });
    lines.push(`${file} ${size} ${mtimeNs} ${ctimeNs} ${ino}`);
  }
  return shortHash(lines.join('\n'));
}

async function readSidecar(file: string): Promise<{ stamp: string; digest: string } | undefined> {
  try {
    const { stamp, digest } = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    return typeof stamp === 'string' && /^[0-9a-f]{64}$/.test(String(digest))
      ? { stamp, digest: digest as string }
      : undefined;
  } catch {
    // Absent, or cut by a crash: a memory that cannot be read is simply made again.
    return undefined;
  }
}

const shortHash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16);
