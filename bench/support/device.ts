import { InvalidRequestError } from '@attune/platform';
import type { DeviceKind, Runtime } from '@attune/runtime';

/** The device that the command line names, taken as it is, or the one that is worth it here; without one the bench ends with code 1. */
export function deviceToMeasure(runtime: Runtime, named: string | undefined): DeviceKind {
  if (named === 'webgpu' || named === 'cuda') return named;
  if (named !== undefined) throw new InvalidRequestError(`--device is webgpu or cuda, not "${named}"`);
  const { kind, reason } = runtime.chooseDevice();
  if (kind) return kind;
  process.stderr.write(`There is no GPU to measure: ${reason}. See docs/devices.md.\n`);
  process.exit(1);
}
