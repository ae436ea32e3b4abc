import { chooseDevice, type DeviceWish } from '@attune/runtime';

/**
 * Has the device tried that `auto` may come to, so that the outcome is known when a model is loaded. A trial is a race
 * against the CPU, in a process of its own that this one waits for: it belongs before this process stands back, which that
 * one would inherit, and before there is a job, whose heartbeat would stand still. Without a GPU it is two milliseconds; a
 * device that is named is opened without a trial, and the CPU needs none.
 */
export function tryDevice(wish: DeviceWish, choose: () => unknown = chooseDevice): void {
  if (wish !== 'auto') return;
  try {
    choose();
  } catch {
    // What is wrong with the installation is said by the first job, which needs it.
    return;
  }
}
