// Entry point of the child process that `choose.ts` starts: tries the device that the argument names, prints the outcome.
import { messageOf } from '@attune/platform';
import type { DeviceKind } from '../types.js';
import { tryDevice } from './device/trial.js';

try {
  process.stdout.write(JSON.stringify(await tryDevice(process.argv[2] as DeviceKind)));
} catch (error) {
  process.stdout.write(JSON.stringify({ failure: messageOf(error) }));
}
