// `npm start`: makes the checkout runnable, then runs the supervisor in this very process, so that signals need no
// passing on.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
if (process.env.npm_lifecycle_event === 'start') stopWithNpm(process.ppid);
const { main } = await import(pathToFileURL(path.join(root, 'apps', 'supervisor', 'dist', 'main.js')).href);
await main(process.argv.slice(2));

/** npm passes Ctrl-C and SIGTERM on, but not its own death; a product without a terminal would be hard to find. */
function stopWithNpm(npm) {
  const look = () => process.ppid !== npm && process.kill(process.pid, 'SIGTERM');
  setInterval(look, 500).unref();
}
