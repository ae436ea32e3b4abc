import { availableParallelism } from 'node:os';

/** Cores this process was given; asked once, for it may keep itself to fewer later. */
const cores = availableParallelism();

/** Threads that graphs run on: as many as the settings say, else half the cores. */
export function trainerThreads({ trainerThreads: wanted }: { readonly trainerThreads: number }): number {
  return wanted || Math.max(1, Math.floor(cores / 2));
}
