import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Frees what nothing refers to any more, so that what is left afterwards is held by somebody. */
export const collectGarbage = runInNewContext('gc') as () => void;
