// Entry point of a grammar thread: compiles structures and keeps the masks of the answers under way up to date.
import { parentPort, workerData } from 'node:worker_threads';
import { GrammarStore } from './grammar-store.js';
import { markBroken, SharedMatcher } from './shared-matcher.js';
import type { ThreadCommand, ThreadReply, ThreadSetup } from './thread-protocol.js';

const port = parentPort!;
const store = new GrammarStore(workerData as ThreadSetup);
const matchers = new Map<number, SharedMatcher>();

// The library's calls are asynchronous, and their order matters.
let queue = Promise.resolve();
port.on('message', (command: ThreadCommand) => {
  queue = queue.then(() => handle(command));
});

async function handle(command: ThreadCommand): Promise<void> {
  switch (command.type) {
    case 'compile':
      return reply({ key: command.key, reason: await store.compile(command.key, command.structure) });
    case 'drop':
      return store.drop(command.key);
    case 'open':
      return open(command);
    case 'accept':
      return move(command.id, (matcher) => matcher.accept(command.token));
    case 'rollback':
      return move(command.id, (matcher) => matcher.rollback(command.count));
    case 'close':
      matchers.get(command.id)?.close();
      matchers.delete(command.id);
  }
}

async function open({ id, key, stopIds, shared }: Extract<ThreadCommand, { type: 'open' }>): Promise<void> {
  try {
    const matcher = await store.match(key);
    matchers.set(id, await SharedMatcher.open(matcher, shared, stopIds, store.endId));
  } catch (error) {
    markBroken(new Int32Array(shared));
    throw error; // a library that cannot open what it compiled is of no more use: the thread ends
  }
}

/** A matcher that fails leaves the others as they are. */
async function move(id: number, work: (matcher: SharedMatcher) => Promise<void>): Promise<void> {
  const matcher = matchers.get(id);
  if (!matcher) return;
  try {
    await work(matcher);
  } catch {
    matcher.giveUp();
  }
}

function reply(message: ThreadReply): void {
  port.postMessage(message);
}
