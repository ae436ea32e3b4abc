// Entry point of the thread that reads adapters; its data are the model's configuration.
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { FileMemory, readAdapter } from '@attune/checkpoint';
import type { ModelConfig } from '@attune/models';
import { layOut, memoryOf } from '../adapters-prepared.js';
import { toFailure } from '../failures.js';
import { AdapterMemory } from './adapter-memory.js';
import type { ReaderReply, ReaderRequest } from './reader-protocol.js';

const PATIENT = 10;

const config = workerData as ModelConfig;
const port = parentPort!;
standBack();
const memory = new AdapterMemory();
const files = new FileMemory();
/** One after another: they share the memory that files are read into. */
let turn: Promise<void> = Promise.resolve();

port.on('message', (request: ReaderRequest) => {
  if ('given' in request) memory.give(request.given);
  else turn = turn.then(() => answer(request));
});

async function answer({ id, folder }: { readonly id: number; readonly folder: string }): Promise<void> {
  try {
    const layout = layOut(config, await readAdapter(folder, files), (count) => memory.take(count));
    port.postMessage({ id, outcome: { layout } } satisfies ReaderReply, [memoryOf(layout)]);
  } catch (error) {
    port.postMessage({ id, outcome: { failure: toFailure(error) } } satisfies ReaderReply);
  }
}

/** Where the system lets a thread be named: answers under way go first when there are not cores enough for both. */
function standBack(): void {
  try {
    setPriority(Number(path.basename(readlinkSync('/proc/thread-self'))), PATIENT);
  } catch {
    // no such system: the thread is as important as any other
  }
}
