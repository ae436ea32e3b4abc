import { Worker } from 'node:worker_threads';
import { messageOf, UnavailableError } from '@attune/platform';
import type { ModelConfig } from '@attune/models';
import { type AdapterLayout, memoryOf } from '../adapters-prepared.js';
import { compiledFile } from '../compiled-file.js';
import { fromFailure } from '../failures.js';
import type { ReaderReply, ReaderRequest } from './reader-protocol.js';

type Read = { readonly resolve: (layout: AdapterLayout) => void; readonly reject: (error: Error) => void };

/**
 * Reads adapters from disk, checks, names and lays them out on a thread of its own: tens of milliseconds of work for
 * every hundred megabytes, during which no answer would get a token. The thread starts with the first adapter.
 */
export class AdapterReader {
  private worker: Worker | null = null;
  private readonly reads = new Map<number, Read>();
  /** Layouts that were read here, and may be given back. */
  private readonly lent = new WeakSet<AdapterLayout>();
  private nextId = 0;

  constructor(private readonly config: ModelConfig) {}

  /**
   * @param folder an adapter in PEFT layout
   * @throws InvalidRequestError when it cannot be read or does not fit the model
   */
  read(folder: string): Promise<AdapterLayout> {
    const worker = (this.worker ??= this.start());
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.reads.set(id, { resolve, reject });
      worker.ref(); // somebody waits for it
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window
      worker.postMessage({ id, folder } satisfies ReaderRequest);
    });
  }

  /** Takes back the memory of an adapter that nobody needs any more, for the next one; of one not read here, it leaves it. */
  giveBack(layout: AdapterLayout): void {
    if (!this.worker || !this.lent.delete(layout)) return;
    const given = memoryOf(layout);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window
    this.worker.postMessage({ given } satisfies ReaderRequest, [given]);
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
  }

  private start(): Worker {
    const main = compiledFile(import.meta.url, './reader-main.js');
    const worker = new Worker(main, { workerData: this.config, execArgv: [] });
    worker.on('message', (reply: ReaderReply) => this.settle(reply));
    worker.once('error', (error) => this.ended(worker, messageOf(error)));
    worker.once('exit', () => this.ended(worker, 'it was ended'));
    return worker;
  }

  private settle({ id, outcome }: ReaderReply): void {
    const read = this.reads.get(id);
    this.reads.delete(id);
    if (this.reads.size === 0) this.worker?.unref();
    if ('failure' in outcome) return read?.reject(fromFailure(outcome.failure));
    this.lent.add(outcome.layout);
    read?.resolve(outcome.layout);
  }

  /** The next adapter starts another thread. */
  private ended(worker: Worker, reason: string): void {
    if (this.worker !== worker) return;
    this.worker = null;
    const error = new UnavailableError(`the thread that reads adapters ended (${reason}); try again`);
    for (const { reject } of this.reads.values()) reject(error);
    this.reads.clear();
  }
}
