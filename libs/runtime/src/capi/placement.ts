import koffi from 'koffi';
import { ortApi, type Pointer } from './api.js';
import type { ApiFunction } from './table.js';

/** Operators that a session runs on the CPU, with their number. (ONNX Runtime lists no others: WebGPU's are left out.) */
export function operatorsOnCpu(session: Pointer): Readonly<Record<string, number>> {
  const { create, readString } = ortApi();
  const counts: Record<string, number> = {};
  for (const part of readArray('Session_GetEpGraphAssignmentInfo', session)) {
    if (readString(create('EpAssignedSubgraph_GetEpName', part)) !== 'CPUExecutionProvider') continue;
    for (const node of readArray('EpAssignedSubgraph_GetNodes', part)) {
      const operator = readString(create('EpAssignedNode_GetOperatorType', node));
      counts[operator] = (counts[operator] ?? 0) + 1;
    }
  }
  return counts;
}

/** Calls a function whose last two parameters are where to put an array of pointers and its length. */
function readArray(name: ApiFunction, from: Pointer): Pointer[] {
  const [array, length] = [new BigUint64Array(1), new BigUint64Array(1)];
  ortApi().call(name, from, array, length);
  const pointers = { at: array[0]!, count: Number(length[0]!) };
  return Array.from({ length: pointers.count }, (_, i) => koffi.decode(pointers.at, i * 8, 'void*') as Pointer);
}
