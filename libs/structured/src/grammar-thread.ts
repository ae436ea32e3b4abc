import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { OutputStructure } from '@attune/contracts';
import { InternalError, messageOf } from '@attune/platform';
import { Matcher } from './matcher.js';
import { MASK, maskWords, type ThreadCommand, type ThreadReply, type ThreadSetup } from './thread-protocol.js';
import { Turnstile } from './turnstile.js';

/**
 * One thread with its grammars. Compiling takes anything from milliseconds to seconds, during which the thread's masks
 * would be late, so it happens only while no answer uses the thread.
 */
export class GrammarThread {
  readonly turnstile = new Turnstile();
  private readonly worker: Worker;
  private readonly compiling = new Map<string, (reason: string | null) => void>();
  private nextId = 0;
  private ended: string | null = null;

  /** @param onEnd told once, whether the thread was ended or ended by itself */
  constructor(
    private readonly setup: ThreadSetup,
    private readonly onEnd: (thread: GrammarThread) => void,
  ) {
    this.worker = new Worker(entryPoint(), { workerData: setup });
    this.worker.unref();
    this.worker.on('message', ({ key, reason }: ThreadReply) => this.settle(key, reason));
    this.worker.once('error', (error) => this.end(messageOf(error)));
    this.worker.once('exit', () => this.end('the grammar thread ended'));
  }

  get alive(): boolean {
    return this.ended === null;
  }

  /** Only inside `turnstile.runAlone`. @returns why the structure cannot be compiled; null = it is */
  async compile(key: string, structure: OutputStructure, limitMs: number): Promise<string | null> {
    if (this.ended !== null) return this.ended;
    const slow = `it takes more than ${limitMs / 1000} s to compile; make it smaller`;
    const timer = setTimeout(() => this.end(slow), limitMs);
    const outcome = new Promise<string | null>((resolve) => this.compiling.set(key, resolve));
    this.worker.ref(); // somebody waits for it
    this.send({ type: 'compile', key, structure });
    try {
      return await outcome;
    } finally {
      clearTimeout(timer);
      this.worker.unref();
    }
  }

  /** Only between `turnstile.enter` and `leave`, which closing the matcher calls. */
  open(key: string, stopIds: readonly number[]): Matcher {
    const id = this.nextId++;
    const shared = new SharedArrayBuffer((MASK + maskWords(this.setup.vocabSize)) * Int32Array.BYTES_PER_ELEMENT);
    this.send({ type: 'open', id, key, stopIds, shared });
    return new Matcher(new Int32Array(shared), {
      accept: (token) => this.send({ type: 'accept', id, token }),
      rollback: (count) => this.send({ type: 'rollback', id, count }),
      alive: () => this.alive,
      hangs: () => this.end('the grammar thread hung; ask again'),
      close: () => {
        this.send({ type: 'close', id });
        this.turnstile.leave();
      },
    });
  }

  drop(key: string): void {
    this.send({ type: 'drop', key });
  }

  end(reason: string): void {
    if (this.ended !== null) return;
    this.ended = reason;
    for (const key of this.compiling.keys()) this.settle(key, reason);
    void this.worker.terminate();
    this.onEnd(this);
  }

  private settle(key: string, reason: string | null): void {
    this.compiling.get(key)?.(reason);
    this.compiling.delete(key);
  }

  private send(command: ThreadCommand): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window
    if (this.ended === null) this.worker.postMessage(command);
  }
}

/** The compiled entry point, also when this file itself runs from source (under a test runner). */
function entryPoint(): string {
  const beside = fileURLToPath(new URL('./thread-main.js', import.meta.url));
  const compiled = beside.replace(`${path.sep}src${path.sep}`, `${path.sep}dist${path.sep}`);
  const found = [beside, compiled].find((file) => existsSync(file));
  if (!found) throw new InternalError(`${compiled} is missing; build the project (npm run build)`);
  return found;
}
