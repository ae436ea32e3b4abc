// Entry point of the child process that `probe.ts` starts: prints the failures as JSON.
import { selfTest } from './self-test.js';

process.stdout.write(JSON.stringify(await selfTest()));
