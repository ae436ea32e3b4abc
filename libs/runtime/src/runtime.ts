import { availableParallelism } from 'node:os';
import { UnavailableError } from '@attune/platform';
import { BindingSession } from './binding/session.js';
import { ortApi } from './capi/api.js';
import { chooseDevice } from './capi/device/choose.js';
import { CapiDevice } from './capi/device/device.js';
import { shareThreads } from './capi/env.js';
import { installedPackage } from './capi/library.js';
import { useHugePages } from './capi/huge-pages.js';
import { trimMemory } from './capi/memory.js';
import { probeCapi } from './capi/probe.js';
import { CapiSession } from './capi/session.js';
import { CapiSharedWeights } from './capi/shared-weights.js';
import { exactProducts } from './exact-products.js';
import type { Runtime, RuntimeOptions } from './types.js';

/**
 * Chooses how to reach ONNX Runtime in this process.
 * @throws UnavailableError when `prefer` is 'capi' and its self-test does not pass here
 */
export function createRuntime(options: RuntimeOptions = {}): Runtime {
  const { prefer = 'auto', cacheDir } = options;
  const threads = options.threads || availableParallelism();
  if (prefer === 'binding') return bindingRuntime(threads);
  const verdict = probeCapi(cacheDir);
  if (verdict.usable) return capiRuntime(threads, options);
  if (prefer === 'auto') return { ...bindingRuntime(threads), fallbackReason: verdict.reason };
  throw new UnavailableError(`ONNX Runtime's C API cannot be used here: ${verdict.reason}`);
}

function capiRuntime(threads: number, { sharedThreads, cacheDir }: RuntimeOptions): Runtime {
  if (sharedThreads) shareThreads(threads);
  const createSession: Runtime['createSession'] = (model, options = {}) => CapiSession.create(model, options, threads);
  return {
    kind: 'capi',
    version: ortApi().version,
    createSession,
    exactProducts: () => exactProducts(createSession),
    openDevice: (kind) => CapiDevice.open(kind),
    chooseDevice: () => chooseDevice(cacheDir),
    shareWeights: () => new CapiSharedWeights(),
    trimMemory,
    useHugePages,
  };
}

function bindingRuntime(threads: number): Runtime {
  const createSession: Runtime['createSession'] = async (model, options = {}) =>
    BindingSession.create(model, options, threads);
  return {
    kind: 'binding',
    version: installedPackage().version,
    createSession,
    exactProducts: () => exactProducts(createSession),
    openDevice: async (kind) => {
      throw new UnavailableError(`the ${kind} device needs ONNX Runtime's C API, which cannot be used here`);
    },
    chooseDevice: () => ({ kind: null, reason: "devices need ONNX Runtime's C API, which cannot be used here" }),
    shareWeights: () => ({ kind: 'binding' }),
    trimMemory: () => {},
    useHugePages: () => {},
  };
}
