import type { SharedWeights } from '../types.js';
import { ortApi, type Pointer } from './api.js';

const unreachable = new FinalizationRegistry<Pointer>((pointer) =>
  ortApi().raw.ReleasePrepackedWeightsContainer(pointer),
);

/** ONNX Runtime's store of repacked weights. Sessions that use it keep it alive. */
export class CapiSharedWeights implements SharedWeights {
  readonly kind = 'capi';
  readonly pointer: Pointer = ortApi().create('CreatePrepackedWeightsContainer');

  constructor() {
    unreachable.register(this, this.pointer);
  }
}
