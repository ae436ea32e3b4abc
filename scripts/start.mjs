// `npm start`: makes the checkout runnable, then runs the supervisor in this very process, so that signals need no
// passing on.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
const { main } = await import(pathToFileURL(path.join(root, 'apps', 'supervisor', 'dist', 'main.js')).href);
await main(process.argv.slice(2));
