import { open, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '@attune/platform';
import { matches } from './checksum.js';
import { isTransient, TransferStatusError } from './hub-errors.js';
import type { RemoteFile } from './wanted-files.js';

export interface TransferOptions {
  /** Tries in a row that may bring nothing before the transfer gives up. */
  readonly retries: number;
  /** Wait before the first retry; doubles each time. */
  readonly retryDelayMs: number;
  /** A connection that brings no byte for this long is taken for dead. */
  readonly stallMs: number;
}

export const defaultTransfer: TransferOptions = { retries: 5, retryDelayMs: 500, stallMs: 60_000 };

export interface Transfer {
  readonly url: string;
  readonly token?: string;
  readonly remote: RemoteFile;
  /** Final place; bytes gather beside it in a `.part` file. */
  readonly file: string;
  readonly options: TransferOptions;
  /** Bytes of this file that are on the disk. */
  readonly onBytes: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Fetches one file, going on where an earlier try stopped (HTTP Range), and puts it in place once its checksum is
 * right. A wrong checksum throws the bytes away and is tried once more from the start.
 */
export async function transferFile(transfer: Transfer): Promise<void> {
  const { file, remote } = transfer;
  // The checksum is part of the name: bytes of one revision are never continued with those of another.
  const part = `${file}.${remote.checksum.hex.slice(0, 12)}.part`;
  for (const lastTry of [false, true]) {
    await fetchToEnd(transfer, part);
    if (await matches(part, remote)) break;
    await rm(part, { force: true });
    if (lastTry) {
      throw new UnavailableError(
        `${remote.path} arrived twice with a wrong checksum from ${new URL(transfer.url).origin}; something on the way changes it, check HF_ENDPOINT`,
        { code: 'checksum' },
      );
    }
  }
  await rename(part, file);
}

async function fetchToEnd(transfer: Transfer, part: string): Promise<void> {
  const { retries, retryDelayMs } = transfer.options;
  for (let failures = 0; ;) {
    const before = await sizeOf(part);
    if (before >= transfer.remote.size && before > 0) return;
    try {
      await fetchRest(transfer, part, before);
      return;
    } catch (error) {
      failures = (await sizeOf(part)) > before ? 1 : failures + 1;
      if (!isTransient(error) || failures > retries || transfer.signal?.aborted) throw error;
      await sleep(retryDelayMs * 2 ** (failures - 1), undefined, { signal: transfer.signal });
    }
  }
}

/** One connection: asks for what is missing and appends it. Throws when it ends early. */
async function fetchRest({ url, token, remote, options, onBytes, signal }: Transfer, part: string, have: number) {
  const watch = stallWatch(options.stallMs, signal);
  let done = have;
  try {
    const response = await fetch(url, {
      signal: watch.signal,
      headers: { ...(have > 0 && { Range: `bytes=${have}-` }), ...(token && { Authorization: `Bearer ${token}` }) },
    });
    if (!response.ok || !response.body) throw new TransferStatusError(response.status, url);
    // A server that ignores Range sends the whole file with 200: start over.
    if (response.status !== 206) done = 0;
    await append(part, done, response.body, (length) => {
      watch.restart();
      onBytes((done += length));
    });
  } finally {
    watch.stop();
  }
  if (done < remote.size) throw new Error(`the connection ended after ${done} of ${remote.size} bytes`);
}

async function append(
  part: string,
  position: number,
  body: AsyncIterable<Uint8Array>,
  onChunk: (length: number) => void,
): Promise<void> {
  const handle = await open(part, position > 0 ? 'a' : 'w');
  try {
    for await (const chunk of body) {
      await handle.writeFile(chunk);
      onChunk(chunk.length);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A signal that fires when nothing happened for `stallMs`, or when the caller gives up. */
function stallWatch(stallMs: number, caller?: AbortSignal) {
  const controller = new AbortController();
  const stalled = () => controller.abort(new Error(`no data for ${Math.round(stallMs / 1000)} s`));
  let timer = setTimeout(stalled, stallMs);
  return {
    signal: caller ? AbortSignal.any([caller, controller.signal]) : controller.signal,
    restart: () => {
      clearTimeout(timer);
      timer = setTimeout(stalled, stallMs);
    },
    stop: () => clearTimeout(timer),
  };
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}
