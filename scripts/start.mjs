// `npm start`: makes the checkout runnable, then runs the supervisor in this very process, so that signals need no
// passing on.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
const { main } = await import(pathToFileURL(path.join(root, 'apps', 'supervisor', 'dist', 'main.js')).href);
await main(process.argv.slice(2), process.env.npm_lifecycle_event === 'start' ? endOfParent() : undefined);

/** npm passes Ctrl-C and SIGTERM on, but not its own death; a product that outlived it would be hard to find. */
function endOfParent() {
  const npm = process.ppid;
  const gone = new AbortController();
  setInterval(() => process.ppid !== npm && gone.abort(), 500).unref();
  return gone.signal;
}
