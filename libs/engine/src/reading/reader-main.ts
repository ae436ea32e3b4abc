// Entry point of the thread that reads adapters; its data are the model's configuration.
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { readAdapter } from '@attune/checkpoint';
import type { ModelConfig } from '@attune/models';
import { type AdapterLayout, layOut } from '../adapters-prepared.js';
import { toFailure } from '../failures.js';
import type { ReaderReply, ReaderRequest } from './reader-protocol.js';

const PATIENT = 10;

const config = workerData as ModelConfig;
const port = parentPort!;
standBack();
port.on('message', (request: ReaderRequest) => void answer(request));

async function answer({ id, folder }: ReaderRequest): Promise<void> {
  try {
    const layout = layOut(config, await readAdapter(folder));
    port.postMessage({ id, outcome: { layout } } satisfies ReaderReply, buffersOf(layout));
  } catch (error) {
    port.postMessage({ id, outcome: { failure: toFailure(error) } } satisfies ReaderReply);
  }
}

/** What is handed over rather than copied. */
function buffersOf(layout: AdapterLayout): ArrayBuffer[] {
  const arrays =
    layout.kind === 'soft-prompt' ? [layout.embeddings] : Object.values(layout.packed).map(({ data }) => data);
  return [...new Set(arrays.map(({ buffer }) => buffer as ArrayBuffer))];
}

/** Where the system lets a thread be named: answers under way go first when there are not cores enough for both. */
function standBack(): void {
  try {
    setPriority(Number(path.basename(readlinkSync('/proc/thread-self'))), PATIENT);
  } catch {
    // no such system: the thread is as important as any other
  }
}
