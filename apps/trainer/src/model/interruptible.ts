import type { Runtime, Session } from '@attune/runtime';

/**
 * The runtime with runs that an abort ends within milliseconds, in the middle of a graph: a job that is cancelled need
 * not sit through a pass over a long batch, wherever that pass is made. Bound runs are left alone: they are the sampling
 * engine's, which is told by its requests.
 */
export function interruptible(runtime: Runtime, signal: AbortSignal): Runtime {
  const createSession: Runtime['createSession'] = async (model, options) =>
    interruptibleSession(await runtime.createSession(model, options), signal);
  return Object.assign(Object.create(runtime) as Runtime, { createSession });
}

function interruptibleSession(session: Session, signal: AbortSignal): Session {
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    bind: (inputs, outputs) => session.bind(inputs, outputs),
    run: (inputs, outputs) => session.run(inputs, outputs, { signal }),
    runSync: (inputs, outputs) => session.runSync(inputs, outputs),
    leftToCpu: () => session.leftToCpu(),
    release: () => session.release(),
  };
}
