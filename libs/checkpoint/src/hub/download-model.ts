import { listFiles, type ListFileEntry } from '@huggingface/hub';
import { mkdir, readdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '@attune/platform';
import { replaceFile } from '../durable.js';
import { matches } from './checksum.js';
import { withLock } from './download-lock.js';
import { explainHubError, isTransient, type HubContext } from './hub-errors.js';
import { folderNameOf, type ModelId } from './model-id.js';
import { defaultTransfer, transferFile, type TransferOptions } from './transfer.js';
import { wantedFiles, type RemoteFile } from './wanted-files.js';

/** Bytes of the whole download; `file` is the one under way. */
export interface DownloadProgress {
  readonly repo: string;
  readonly file: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface DownloadOptions {
  readonly modelsFolder: string;
  readonly token?: string;
  readonly endpoint?: string;
  readonly onProgress?: (progress: DownloadProgress) => void;
  readonly signal?: AbortSignal;
  readonly transfer?: Partial<TransferOptions>;
}

/** Written last: what a complete folder holds. */
const RECEIPT = '.download.json';

/**
 * Downloads a model's files into `<modelsFolder>/<owner>--<name>`; a complete folder is returned without any network.
 * A download that was cut, even by kill -9, goes on where it stopped.
 * @returns the folder
 */
export async function downloadModel(id: ModelId, options: DownloadOptions): Promise<string> {
  const folder = path.join(options.modelsFolder, folderNameOf(id));
  if (await isComplete(folder)) return folder;
  const endpoint = (options.endpoint ?? 'https://huggingface.co').replace(/\/+$/, '');
  const context: HubContext = { id, endpoint, token: options.token };
  try {
    await mkdir(options.modelsFolder, { recursive: true });
    await withLock(`${folder}.lock`, options.signal, async () => {
      if (!(await isComplete(folder))) await download(folder, context, options);
    });
    return folder;
  } catch (error) {
    throw explainHubError(error, context);
  }
}

async function download(folder: string, context: HubContext, options: DownloadOptions): Promise<void> {
  const transfer = { ...defaultTransfer, ...options.transfer };
  const files = wantedFiles(context.id, await listRepository(context, transfer, options.signal));
  await mkdir(folder, { recursive: true });
  await requireSpace(folder, files);
  await fetchAll(folder, files, context, { ...options, transfer });
  await removeParts(folder);
  await writeReceipt(folder, context.id, files);
}

async function isComplete(folder: string): Promise<boolean> {
  const text = await readFile(path.join(folder, RECEIPT), 'utf8').catch(() => undefined);
  if (text === undefined) return false;
  const { files } = JSON.parse(text) as { files: RemoteFile[] };
  const sizes = await Promise.all(files.map((file) => sizeOf(path.join(folder, file.path))));
  return files.every((file, index) => sizes[index] === file.size);
}

/** Only the root folder: everything a model needs lies there. */
async function listRepository(
  { id, endpoint, token }: HubContext,
  { retries, retryDelayMs }: TransferOptions,
  signal?: AbortSignal,
): Promise<ListFileEntry[]> {
  const fetchWithSignal: typeof fetch = (input, init) => fetch(input, { ...init, signal });
  for (let failures = 0; ; failures++) {
    try {
      const entries: ListFileEntry[] = [];
      const revision = encodeURIComponent(id.revision);
      const repo = { type: 'model', name: id.repo } as const;
      for await (const entry of listFiles({
        repo,
        revision,
        hubUrl: endpoint,
        accessToken: token,
        fetch: fetchWithSignal,
      })) {
        entries.push(entry);
      }
      return entries;
    } catch (error) {
      if (!isTransient(error) || isRefused(error) || failures >= retries) throw error;
      await sleep(retryDelayMs * 2 ** failures, undefined, { signal });
    }
  }
}

/** No hub at that address, or no network: said at once instead of after several tries. */
function isRefused(error: unknown): boolean {
  const code = (error as { cause?: { code?: string } } | undefined)?.cause?.code;
  return error instanceof TypeError && code !== 'ECONNRESET' && code !== 'UND_ERR_SOCKET';
}

async function requireSpace(folder: string, files: readonly RemoteFile[]): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const present = await Promise.all(
    (await readdir(folder)).map(async (entry) => await sizeOf(path.join(folder, entry))),
  );
  const missing = sum(files.map((file) => file.size)) - sum(present);
  if (missing > bavail * bsize) {
    throw new UnavailableError(
      `The model needs ${megabytes(missing)} MB more and ${folder} has ${megabytes(bavail * bsize)} MB free; free some space or choose another DATA_DIR`,
      { code: 'storage' },
    );
  }
}

async function fetchAll(
  folder: string,
  files: readonly RemoteFile[],
  { id, endpoint, token }: HubContext,
  { onProgress, signal, transfer }: DownloadOptions & { transfer: TransferOptions },
): Promise<void> {
  const totalBytes = sum(files.map((file) => file.size));
  let before = 0;
  for (const remote of files) {
    const file = path.join(folder, remote.path);
    const onBytes = (bytes: number) =>
      onProgress?.({ repo: id.repo, file: remote.path, doneBytes: before + bytes, totalBytes });
    const url = `${endpoint}/${id.repo}/resolve/${encodeURIComponent(id.revision)}/${remote.path}`;
    if (!(await matches(file, remote))) {
      await transferFile({ url, token, remote, file, options: transfer, onBytes, signal });
    }
    onBytes(remote.size);
    before += remote.size;
  }
}

/** What is left of other revisions' broken downloads. */
async function removeParts(folder: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    if (entry.endsWith('.part')) await rm(path.join(folder, entry), { force: true });
  }
}

async function writeReceipt(folder: string, { repo, revision }: ModelId, files: readonly RemoteFile[]): Promise<void> {
  const receipt = `${JSON.stringify({ repo, revision, files }, null, 2)}\n`;
  await replaceFile(path.join(folder, RECEIPT), (temporary) => writeFile(temporary, receipt));
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
const megabytes = (bytes: number) => Math.round(bytes / 1e6);

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}
